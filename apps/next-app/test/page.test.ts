/** Proves in a real browser that whatever a person does to the page, an order is charged once, and that the page is honest about it. */
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { findChromium, launchChromium } from './support/chromium.ts';
import type { ShopApp } from './support/shop-app.ts';
import { startApp } from './support/shop-app.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const CHARGE_MS = 800;

const executable = findChromium();
const skip = executable === undefined && process.env.CI === undefined;
if (skip) console.warn('SKIP the page in a browser: install chromium, or set MCP_TX_TEST_CHROMIUM');

describe.skipIf(skip)('the page', () => {
  let app: ShopApp;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let errors: string[];
  beforeAll(async () => {
    if (executable === undefined) throw new Error('no chromium: install it, or set MCP_TX_TEST_CHROMIUM');
    [app, browser] = await Promise.all([
      startApp({ chargeMs: CHARGE_MS, faults: 'order-13=crash-after-effect,order-14=crash-before-effect' }),
      launchChromium(executable),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await app?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    errors = [];
    context = await browser.newContext();
    page = await context.newPage();
    page.on('pageerror', (error) => errors.push(error.message));
    await page.addInitScript(rememberTexts);
    page.setDefaultTimeout(20_000);
    await page.goto(app.url);
  });
  afterEach(async () => {
    await context.close();
    expect(errors).toEqual([]);
  });

  const button = () => page.getByRole('button', { name: 'Charge an order' });
  const order = () => page.getByRole('textbox', { name: 'Order', exact: true });
  const card = (number: number) => page.getByRole('article', { name: new RegExp(`^${number} `) });
  const badge = (number: number, word: string): Locator => card(number).locator('.badge', { hasText: word });
  const beginCharge = async (orderId: string) => {
    await order().fill(orderId);
    await button().click();
    await shown(1, 'Running');
  };
  /** Waits until a card shows a text, or has shown it: what is there for a moment only must not depend on who looks when. */
  const shown = (number: number, text: string) =>
    page.waitForFunction(([start, part]) => texts.some((seen) => seen.startsWith(start) && seen.includes(part)), [
      `${number} `,
      text,
    ] as const);

  it('charges once for a double click, and says that the second press ran nothing', async () => {
    await order().fill('double');
    await button().dblclick();
    await badge(1, 'Done').waitFor();
    await badge(2, 'Already done').waitFor();
    expect(await card(2).textContent()).toContain('The same key as call 1');
    expect(app.charges('double')).toHaveLength(1);
  });

  it('shows how far a charge is while it runs, and the attempts when it has ended', async () => {
    await beginCharge('steps');
    for (const step of ['The card is checked', 'The bank is asked', 'The receipt is written']) await shown(1, step);
    await badge(1, 'Done').waitFor();
    expect(await card(1).locator('dl').textContent()).toContain('Attempts1');
  });

  it('takes a call up again after a reload in its middle', async () => {
    await beginCharge('reload');
    await page.reload();
    await card(1)
      .locator('.badge', { hasText: /^(Done|Already done)$/ })
      .waitFor();
    expect(app.charges('reload')).toHaveLength(1);
  });

  it('lets a call go on while another page of the app is shown, and shows it after the back button', async () => {
    await beginCharge('back');
    await page.getByRole('link', { name: 'Operations' }).click();
    await page.getByRole('rowheader', { name: 'charge:back' }).waitFor();
    await page.goBack();
    await badge(1, 'Done').waitFor();
    expect(app.charges('back')).toHaveLength(1);
  });

  it('finds the call again after the back button from a page elsewhere', async () => {
    await beginCharge('away');
    await page.goto('about:blank');
    await page.goBack();
    await card(1)
      .locator('.badge', { hasText: /^(Done|Already done)$/ })
      .waitFor();
    await button().waitFor();
    expect(app.charges('away')).toHaveLength(1);
  });

  it('charges once over a slow network, however impatient a person is', async () => {
    const network = await context.newCDPSession(page);
    await network.send('Network.enable');
    const slow = { offline: false, latency: 800, downloadThroughput: 4_000, uploadThroughput: 4_000 };
    await network.send('Network.emulateNetworkConditions', slow);
    await order().fill('slow');
    for (let press = 0; press < 4; press += 1) await button().click({ delay: 50 });
    for (let number = 1; number <= 4; number += 1)
      await card(number)
        .locator('.badge', { hasText: /^(Done|Already done)$/ })
        .waitFor();
    expect(app.charges('slow')).toHaveLength(1);
  });

  it('asks again with the same key when the line breaks', async () => {
    let broken = 0;
    await page.route('**/execute/charge', async (route) => {
      if (broken > 0) return route.continue();
      broken += 1;
      await fetch(route.request().url(), {
        method: 'POST',
        headers: route.request().headers(),
        body: route.request().postData(),
      });
      return route.abort('connectionreset'); // the request arrived and was done; the answer is lost
    });
    await order().fill('broken');
    await button().click();
    await shown(1, 'Waiting');
    await badge(1, 'Already done').waitFor();
    expect([broken, app.charges('broken').length]).toEqual([1, 1]);
  });

  it('waits while it is offline', async () => {
    await context.setOffline(true);
    await order().fill('offline');
    await button().click();
    await shown(1, 'Waiting');
    expect(app.charges('offline')).toEqual([]);
    await context.setOffline(false);
    await badge(1, 'Done').waitFor();
    expect(app.charges('offline')).toHaveLength(1);
  });

  it('says that nobody knows, helps to find out, and keeps what was found on record', async () => {
    await order().fill('order-13');
    await button().click();
    await badge(1, 'In doubt').waitFor();
    expect(await card(1).textContent()).toContain('Nobody knows whether it happened');
    await button().click();
    await badge(2, 'In doubt').waitFor();
    expect(app.charges('order-13')).toHaveLength(1);
    await card(1).getByRole('button', { name: 'Ask payments for the charges of order-13' }).click();
    await card(3).getByText('"orderId": "order-13"').waitFor();
    await card(1).getByLabel('It was charged', { exact: true }).check();
    await card(1).getByLabel('How do you know?').fill('payments lists it');
    await card(1).getByRole('button', { name: 'Put it on record' }).click();
    await badge(1, 'Resolved').waitFor();
    await button().click();
    await card(4).getByText('shop operator says so').waitFor();
    await page.getByRole('link', { name: 'Operations' }).click();
    const row = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'charge:order-13' }) });
    await row.getByText('shop operator').waitFor();
    expect(app.charges('order-13')).toHaveLength(1);
  });

  it('shows a refusal as what it is, and a key that was used for something else', async () => {
    await order().fill('refused');
    await page.getByRole('spinbutton', { name: 'Amount' }).fill('100001');
    await button().click();
    await badge(1, 'Refused').waitFor();
    await page.getByRole('spinbutton', { name: 'Amount' }).fill('5');
    await button().click();
    await badge(2, 'Not done').waitFor();
    expect(await card(2).textContent()).toContain('KEY_CONFLICT');
    expect(app.charges('refused')).toEqual([]);
  });

  it('is used with the keyboard alone, and tells a screen reader what became of a call', async () => {
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to the content');
    await page.getByRole('radio', { name: /^Charge an order/ }).focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type('keyboard');
    for (let press = 0; press < 3; press += 1) await page.keyboard.press('Tab');
    expect(await focused()).toBe('Charge an order');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    expect(await focused()).toBe('Charge an order');
    await page
      .getByRole('status')
      .getByText(/^Call \d, Charge an order: (Done|Already done)\./)
      .waitFor();
    expect(app.charges('keyboard')).toHaveLength(1);
  });

  it.each(['light', 'dark'] as const)(
    'has nothing that axe objects to, and fits a narrow screen: %s',
    async (colorScheme) => {
      await page.emulateMedia({ colorScheme });
      await order().fill(`axe-${colorScheme}`);
      await button().dblclick();
      await badge(2, 'Already done').waitFor();
      await order().fill('order-14');
      await button().click();
      await badge(3, 'In doubt').waitFor();
      await order().fill(`axe-${colorScheme}-running`);
      await button().click();
      await shown(4, 'Running');
      expect(await objections()).toEqual([]);
      await page.setViewportSize({ width: 320, height: 700 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
      await page.goto(`${app.url}/operations`);
      await page.getByRole('table').waitFor();
      expect(await objections()).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
    },
  );

  async function objections(): Promise<readonly string[]> {
    await page.addScriptTag({ path: AXE });
    return page.evaluate(async () => {
      const { axe } = globalThis as unknown as { readonly axe: { run(): Promise<AxeReport> } };
      const { violations } = await axe.run();
      return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
    });
  }
});

declare const texts: readonly string[];

/** Runs in the page: takes down every text that a card has ever shown, with the label of its progress bar. */
function rememberTexts(): void {
  const seen = new Set<string>();
  const look = (): void => {
    for (const card of document.querySelectorAll('article'))
      seen.add(`${card.textContent}${card.querySelector('progress')?.ariaLabel ?? ''}`);
    Object.assign(globalThis, { texts: [...seen] });
  };
  look();
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
}

interface AxeReport {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[];
}
