/** A modal dialog on the browser's own element: focus stays inside, Escape closes. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { IconButton } from "./button.tsx";

interface DialogProps { readonly title: string; readonly onClose: () => void; readonly children: ComponentChildren; readonly testid?: string; readonly wide?: boolean }

export function Dialog({ title, onClose, children, testid, wide = false }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  const gone = useRef(false); // its own end is told a moment later: by then another dialog may be open
  useEffect(() => {
    const dialog = box.current;
    dialog?.showModal();
    return () => {
      gone.current = true;
      dialog?.close();
    };
  }, []);
  return (
    <dialog ref={box} class={`dialog ${wide ? "dialog--wide" : ""}`} aria-label={title} data-testid={testid} onClose={() => gone.current || onClose()}
      onPointerDown={(event) => event.target === box.current && onClose()}>
      <div class="dialog__body">
        <header class="dialog__head">
          <h2>{title}</h2>
          <IconButton icon="close" label="Close" onClick={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  );
}
