/** The links to the pages of the app, and which one is shown. */
'use client';

import Link from 'next/link';
import { usePathname } from 'next/navigation';
import type { ReactElement } from 'react';

const PAGES = [
  ['/', 'Run a tool'],
  ['/operations', 'Operations'],
] as const;

/** The links. */
export function PageLinks(): ReactElement {
  const shown = usePathname();
  return (
    <nav aria-label="Pages">
      {PAGES.map(([path, title]) => (
        <Link key={path} href={path} aria-current={path === shown ? 'page' : undefined}>
          {title}
        </Link>
      ))}
    </nav>
  );
}
