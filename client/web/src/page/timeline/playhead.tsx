/** Where it plays, drawn over the lanes; moved without rendering anything again. */

import { useEffect, useRef } from "preact/hooks";
import { useChanges } from "../state/store.ts";
import { useStudio } from "../state/studio.ts";
import { quarters } from "./geometry.ts";

export function Playhead() {
  const { sound: { deck } } = useStudio();
  useChanges(deck);
  const line = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let frame = 0;
    const draw = (): void => {
      line.current?.style.setProperty("--at", String(quarters(deck.position)));
      frame = requestAnimationFrame(draw);
    };
    draw();
    return () => cancelAnimationFrame(frame);
  }, [deck]);
  return <div class="playhead" aria-hidden="true" ref={line} data-testid="playhead" data-state={deck.plays ? "playing" : "stopped"} />;
}
