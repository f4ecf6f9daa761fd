/** The part of the timeline on the screen, in ticks. */

import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";
import { PPQ } from "../../client/schema.ts";
import { HEADER_PX } from "./geometry.ts";

export type Span = readonly [from: number, to: number];

/** Grows in steps of half a screen, so that scrolling renders rarely. */
export function useVisible(scroller: RefObject<HTMLElement | null>, beat: number): Span {
  const [span, setSpan] = useState<Span>([0, 256 * PPQ]);
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const measure = (): void => {
      const step = Math.max(200, element.clientWidth / 2);
      const first = Math.floor(element.scrollLeft / step) * step;
      const width = element.clientWidth - HEADER_PX + step;
      const next: Span = [(Math.max(0, first - 80) / beat) * PPQ, ((first + width + 80) / beat) * PPQ];
      setSpan((known) => (known[0] === next[0] && known[1] === next[1] ? known : next));
    };
    measure();
    element.addEventListener("scroll", measure, { passive: true });
    const resized = new ResizeObserver(measure);
    resized.observe(element);
    return () => {
      element.removeEventListener("scroll", measure);
      resized.disconnect();
    };
  }, [beat]);
  return span;
}
