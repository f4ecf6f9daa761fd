/** A name that becomes a text field: Enter or leaving keeps it, Escape does not. */

import { useLayoutEffect, useRef } from "preact/hooks";

interface EditableProps { readonly value: string; readonly label: string; readonly editing: boolean; readonly max: number; readonly onStart?: (() => void) | undefined; readonly onDone: (value: string | null) => void; readonly testid?: string }

export function Editable({ value, label, editing, max, onStart, onDone, testid }: EditableProps) {
  const field = useRef<HTMLInputElement>(null);
  const done = useRef(false);
  useLayoutEffect(() => {
    done.current = false;
    if (editing) field.current?.select();
  }, [editing]);
  const finish = (keep: boolean): void => {
    if (done.current) return;
    done.current = true;
    const typed = field.current?.value.trim() ?? "";
    onDone(keep && typed !== "" && typed !== value ? typed : null);
  };
  if (!editing) {
    return <span class="editable" title={value} onDblClick={onStart} data-testid={testid}>{value}</span>;
  }
  return (
    <input ref={field} class="editable editable--field" aria-label={label} defaultValue={value} maxLength={max} data-testid={testid && `${testid}-field`}
      onBlur={() => finish(true)} onPointerDown={(event) => event.stopPropagation()} onDblClick={(event) => event.stopPropagation()}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Enter") finish(true);
        if (event.key === "Escape") finish(false);
      }} />
  );
}
