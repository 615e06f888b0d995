import type { ReactNode } from "react";

/** A part of the page that scrolls by itself, reachable by keyboard. */
export const Scroll = ({ label, maxHeight, children }: { label: string; maxHeight?: number; children: ReactNode }) => (
  <div role="region" aria-label={label} tabIndex={0} style={{ overflow: "auto", maxHeight }}>
    {children}
  </div>
);
