/** Follows one pointer from press to release; Escape gives up. */

export interface DragHandlers {
  readonly move: (event: PointerEvent, dx: number) => void;
  /** `moved` is false for a plain click. */
  readonly end: (event: PointerEvent, moved: boolean) => void;
  readonly cancel: () => void;
}

const THRESHOLD_PX = 3;

export function followPointer(start: PointerEvent, handlers: DragHandlers): void {
  let moved = false;
  const stops = new AbortController();
  const on = <K extends keyof WindowEventMap>(type: K, listener: (event: WindowEventMap[K]) => void): void =>
    window.addEventListener(type, listener, { signal: stops.signal, capture: true });
  const quit = (): void => {
    stops.abort();
    handlers.cancel();
  };
  on("pointermove", (event) => {
    if (event.pointerId !== start.pointerId) return;
    moved ||= Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) > THRESHOLD_PX;
    if (moved) handlers.move(event, event.clientX - start.clientX);
  });
  on("pointerup", (event) => {
    if (event.pointerId !== start.pointerId) return;
    stops.abort();
    handlers.end(event, moved);
  });
  on("pointercancel", quit);
  on("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    quit();
  });
}
