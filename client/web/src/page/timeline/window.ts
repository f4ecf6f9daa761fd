/** The part of the timeline on the screen: ticks across, rows down. What lies elsewhere is not drawn. */

import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";
import { PPQ } from "../../client/schema.ts";
import { HEADER_PX, ROW_PX } from "./geometry.ts";

export type Span = readonly [from: number, to: number];
/** `scale` is the zoom in pixels per quarter note, rounded down to a power of two. */
export interface Visible { readonly span: Span; readonly rows: Span; readonly scale: number }

const ROWS_STEP = 4;
const FIRST: Visible = { span: [0, 256 * PPQ], rows: [0, 16], scale: 16 };

const same = (a: Span, b: Span): boolean => a[0] === b[0] && a[1] === b[1];

/** At least a quarter of a screen more on each side, in steps that hold while one scrolls or zooms a little. */
function measured(element: HTMLElement, beat: number): Visible {
  const scale = 2 ** Math.floor(Math.log2(beat));
  const step = (Math.max(200, element.clientWidth / 2) / scale / 2) * PPQ;
  const tick = (px: number): number => (px / beat) * PPQ;
  const rows = (px: number): number => px / ROW_PX / ROWS_STEP;
  return {
    span: [Math.max(0, Math.floor(tick(element.scrollLeft) / step - 1) * step), Math.ceil(tick(element.scrollLeft + element.clientWidth - HEADER_PX) / step + 1) * step],
    rows: [(Math.floor(rows(element.scrollTop)) - 1) * ROWS_STEP, (Math.ceil(rows(element.scrollTop + element.clientHeight)) + 1) * ROWS_STEP],
    scale,
  };
}

/** What is equal stays the same object: who watches only one part is not drawn again for another. */
const merged = (known: Visible, next: Visible): Visible => {
  const span = same(known.span, next.span) ? known.span : next.span;
  const rows = same(known.rows, next.rows) ? known.rows : next.rows;
  return span === known.span && rows === known.rows && next.scale === known.scale ? known : { span, rows, scale: next.scale };
};

export function useVisible(scroller: RefObject<HTMLElement | null>, beat: number): Visible {
  const [visible, setVisible] = useState<Visible>(FIRST);
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const measure = (): void => setVisible((known) => merged(known, measured(element, beat)));
    measure();
    element.addEventListener("scroll", measure, { passive: true });
    const resized = new ResizeObserver(measure);
    resized.observe(element);
    return () => {
      element.removeEventListener("scroll", measure);
      resized.disconnect();
    };
  }, [beat]);
  return visible;
}
