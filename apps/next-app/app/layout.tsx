/** What stands around every page. */
import './globals.css';
import type { Metadata, Viewport } from 'next';
import type { ReactElement, ReactNode } from 'react';
import { PageLinks } from '../components/page-links.tsx';

export const metadata: Metadata = {
  title: { default: 'The tea shop', template: '%s · The tea shop' },
  description: 'Run the tools of the shop and see what becomes of each call.',
};

export const viewport: Viewport = { colorScheme: 'light dark' };

export default function Layout({ children }: { readonly children: ReactNode }): ReactElement {
  return (
    <html lang="en">
      <body>
        <a className="skip" href="#main">
          Skip to the content
        </a>
        <header className="page">
          <h1>
            <Cup /> The tea shop
          </h1>
          <PageLinks />
        </header>
        <main id="main">{children}</main>
        <footer className="page quiet">
          Payments run at most once per key. What nobody can know is said, not guessed.
        </footer>
      </body>
    </html>
  );
}

function Cup(): ReactElement {
  return (
    <svg
      viewBox="0 0 32 32"
      width="28"
      height="28"
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
      strokeWidth="2.5"
    >
      <path d="M5 13h18v6a8 8 0 0 1-8 8h-2a8 8 0 0 1-8-8zm18 2h2a3.5 3.5 0 0 1 0 7h-3" />
      <path d="M11 4c-2 2 2 3 0 5m6-5c-2 2 2 3 0 5" strokeLinecap="round" />
    </svg>
  );
}
