/** A small menu behind a button: arrows walk it, Escape closes it and gives the focus back. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon, type IconName } from "./icons.tsx";

interface MenuProps { readonly label: string; readonly icon: IconName; readonly children: (close: () => void) => ComponentChildren; readonly testid?: string }

export function Menu({ label, icon, children, testid }: MenuProps) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const close = (): void => {
    setOpen(false);
    box.current?.querySelector<HTMLElement>("[aria-haspopup]")?.focus();
  };
  useEffect(() => {
    if (!open) return;
    items(box.current)[0]?.focus();
    const outside = (event: PointerEvent): void => {
      if (event.target instanceof Node && !box.current?.contains(event.target)) setOpen(false);
    };
    window.addEventListener("pointerdown", outside);
    return () => window.removeEventListener("pointerdown", outside);
  }, [open]);
  return (
    <div class="menu" ref={box} onKeyDown={(event) => walk(event, box.current, close)}>
      <button type="button" class="icon-button" aria-label={label} title={label} aria-haspopup="menu" aria-expanded={open} data-testid={testid} onClick={() => setOpen(!open)}>
        <Icon name={icon} />
      </button>
      {open && <div class="menu__list" role="menu" aria-label={label}>{children(close)}</div>}
    </div>
  );
}

interface ItemProps { readonly children: ComponentChildren; readonly onClick: () => void; readonly why?: string | null; readonly danger?: boolean; readonly testid?: string }

/** `why` it cannot be chosen, if there is a reason, is its tip. */
export const MenuItem = ({ children, onClick, why = null, danger = false, testid }: ItemProps) => (
  <button type="button" role="menuitem" class={`menu__item ${danger ? "menu__item--danger" : ""}`} disabled={why !== null} title={why ?? undefined} onClick={onClick} data-testid={testid}>
    {children}
  </button>
);

const items = (box: HTMLElement | null): HTMLElement[] => [...(box?.querySelectorAll<HTMLElement>("[role^=menuitem]:not(:disabled)") ?? [])];

function walk(event: KeyboardEvent, box: HTMLElement | null, close: () => void): void {
  const all = items(box);
  if (box?.querySelector("[role=menu]") === null) return;
  if (event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    return close();
  }
  if (all.length === 0) return;
  const step = ({ ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 } as { readonly [key: string]: number })[event.key];
  if (step === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  const at = all.indexOf(document.activeElement as HTMLElement);
  all[(at + step + all.length) % all.length]?.focus();
}
