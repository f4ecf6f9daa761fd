/** Bar and beat lines behind the lanes, and the loop's shade. */

import { loopOf } from "../state/actions.ts";
import { useReading, useStudio, useUi } from "../state/studio.ts";
import { density, quarters } from "./geometry.ts";
import type { Span } from "./window.ts";

export function GridLines({ visible }: { readonly visible: Span }) {
  const studio = useStudio();
  const { meter } = useReading();
  const { beat } = useUi();
  const { step, beats } = density(beat, quarters(meter.barTicksAt(visible[0])));
  const [on, start, end] = loopOf(studio);
  return (
    <div class="grid" aria-hidden="true">
      {on === 1 && <div class="grid__loop" style={{ "--at": quarters(start), "--long": quarters(end - start) }} />}
      {[...meter.lines(visible[0], visible[1], beats, step)].map((line) => (
        <i key={line.tick} class={line.beat === 1 ? "grid__bar" : "grid__beat"} style={{ "--at": quarters(line.tick) }} />
      ))}
    </div>
  );
}
