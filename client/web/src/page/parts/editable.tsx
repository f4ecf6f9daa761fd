/** A name that becomes a text field: Enter or leaving keeps it, Escape does not. */

import { useLayoutEffect, useRef } from "preact/hooks";

/** `tabbable`: it is reached by Tab and started by Enter, the space bar or F2; what has another key for that is not. */
interface EditableProps { readonly value: string; readonly label: string; readonly editing: boolean; readonly max: number; readonly onStart?: (() => void) | undefined; readonly onDone: (value: string | null) => void; readonly tabbable?: boolean; readonly testid?: string }

export function Editable({ value, label, editing, max, onStart, onDone, tabbable = false, testid }: EditableProps) {
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
  const start = (event: KeyboardEvent): void => {
    if (!["Enter", " ", "F2"].includes(event.key)) return;
    event.preventDefault();
    onStart?.();
  };
  if (!editing && tabbable && onStart !== undefined) {
    return <span class="editable" role="button" tabIndex={0} title={value} aria-label={`${label}: ${value}`} onDblClick={onStart} onKeyDown={start} data-testid={testid}>{value}</span>;
  }
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
