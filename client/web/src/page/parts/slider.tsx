/** A slider that shows every movement and writes once, on release. Double-click returns to the default. */

import { useState } from "preact/hooks";

interface SliderProps { readonly label: string; readonly value: number; readonly min: number; readonly max: number; readonly step: number; readonly initial: number; readonly why: string | null; readonly shown: (value: number) => string; readonly onChange: (value: number) => void; readonly testid?: string; readonly kind?: "wide" | "narrow" }

export function Slider({ label, value, min, max, step, initial, why, shown, onChange, testid, kind = "wide" }: SliderProps) {
  const [draft, setDraft] = useState<number | null>(null);
  const current = draft ?? value;
  return (
    <label class={`slider slider--${kind}`} title={why ?? `${label}: ${shown(current)}`}>
      <input type="range" aria-label={label} aria-valuetext={shown(current)} min={min} max={max} step={step} value={current} disabled={why !== null} data-testid={testid}
        onInput={(event) => setDraft(event.currentTarget.valueAsNumber)}
        onChange={(event) => {
          setDraft(null);
          onChange(event.currentTarget.valueAsNumber);
        }}
        onDblClick={() => why === null && onChange(initial)} />
      <output class="slider__value">{shown(current)}</output>
    </label>
  );
}
