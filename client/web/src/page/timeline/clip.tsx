/** One clip on its lane. */

import { memo } from "preact/compat";
import type { ClipView } from "../../client/view.ts";
import { Editable } from "../parts/editable.tsx";
import { quarters } from "./geometry.ts";

export interface ClipHandlers {
  readonly press: (clip: ClipView, edge: "left" | "right" | null, event: PointerEvent) => void;
  readonly focus: (clip: ClipView) => void;
  /** By a key: selects it alone, or lets it go. */
  readonly pick: (clip: ClipView) => void;
  readonly rename: (clip: ClipView, name: string | null) => void;
  readonly name: (clip: ClipView) => void;
}

interface ClipProps { readonly clip: ClipView; readonly color: string; readonly where: string; readonly selected: boolean; readonly tabbable: boolean; readonly naming: boolean; readonly ghost: boolean; readonly why: string | null; readonly sliver: boolean; readonly handlers: ClipHandlers }

function ClipBlock({ clip, color, where, selected, tabbable, naming, ghost, why, sliver, handlers }: ClipProps) {
  const editable = why === null;
  const style = { "--color": color, "--at": quarters(clip.start), "--long": quarters(clip.end - clip.start) };
  const name = clip.name || "Clip";
  const classes = ["clip", selected && "clip--selected", clip.mute && "clip--mute", ghost && "clip--ghost", !editable && "clip--barred"].filter(Boolean).join(" ");
  return (
    <div class={classes} style={style} role="button" tabIndex={tabbable ? 0 : -1} aria-pressed={selected} aria-label={`${name}, ${where}`} title={why ?? undefined}
      data-clip={clip.id} data-testid="clip" data-start={clip.start} data-end={clip.end} data-track={clip.track}
      onKeyDown={(event) => {
        if (event.key === "Enter" && event.target === event.currentTarget) handlers.pick(clip);
      }}
      onPointerDown={(event) => handlers.press(clip, null, event)} onFocus={(event) => event.currentTarget.matches(":focus-visible") && handlers.focus(clip)}
      onDblClick={(event) => {
        event.stopPropagation();
        if (editable) handlers.name(clip);
      }}>
      {!sliver && <div class="clip__name"><Editable value={name} label="Clip name" editing={naming} max={80} onDone={(value) => handlers.rename(clip, value)} /></div>}
      {!sliver && <div class="clip__body" />}
      {editable && !sliver && <div class="clip__edge clip__edge--left" data-testid="trim-left" onPointerDown={(event) => handlers.press(clip, "left", event)} />}
      {editable && !sliver && <div class="clip__edge clip__edge--right" data-testid="trim-right" onPointerDown={(event) => handlers.press(clip, "right", event)} />}
    </div>
  );
}

const sameClip = (a: ClipView, b: ClipView): boolean =>
  a === b || (Object.keys(a) as (keyof ClipView)[]).every((key) => a[key] === b[key]);

export const Clip = memo(ClipBlock, (a, b) => {
  const { clip: before, ...left } = a;
  const { clip: after, ...right } = b;
  return sameClip(before, after) && (Object.keys(left) as (keyof typeof left)[]).every((key) => left[key] === right[key]);
});
