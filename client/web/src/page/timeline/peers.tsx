/** Other people on the timeline: their cursors, selections and drags under way. */

import type { Peer } from "../../client/presence.ts";
import { tickOf } from "../../client/parts.ts";
import type { TempoMap } from "../../client/tempo.ts";
import type { ClipView } from "../../client/view.ts";
import { useChanges } from "../state/store.ts";
import { useReading, useStudio } from "../state/studio.ts";
import { ROW_PX, quarters } from "./geometry.ts";

interface Box { readonly start: number; readonly end: number; readonly row: number }

export function Peers() {
  const { session } = useStudio();
  const { view, tempo, byId: clips } = useReading();
  useChanges(session.presence);
  const rows = new Map(view.tracks.map((track, index) => [track.id, index]));
  return (
    <div class="peers" aria-hidden="true">
      {session.presence.others().map((peer) => <PeerMarks key={peer.client} peer={peer} rows={rows} clips={clips} tempo={tempo} />)}
    </div>
  );
}

interface MarksProps { readonly peer: Peer; readonly rows: ReadonlyMap<string, number>; readonly clips: ReadonlyMap<string, ClipView>; readonly tempo: TempoMap }

function PeerMarks({ peer, rows, clips, tempo }: MarksProps) {
  const { cursor } = peer;
  const style = { "--color": peer.user.color };
  const drag = dragged(peer, { rows, clips, tempo });
  const row = cursor?.ctx === "timeline" && cursor.track !== null ? rows.get(cursor.track) : undefined;
  const picked = (peer.sel ?? []).flatMap((id) => {
    const clip = clips.get(id);
    const at = clip === undefined ? undefined : rows.get(clip.track);
    return clip === undefined || at === undefined || (drag !== null && peer.drag?.id === id) ? [] : [{ id, start: clip.start, end: clip.end, row: at }];
  });
  return (
    <div class="peer" style={style} data-testid="peer" data-user={peer.user.id}>
      {picked.map((box) => <div key={box.id} class="peer__selection" style={placed(box)} data-testid="peer-selection" />)}
      {drag !== null && <div class="peer__drag" style={placed(drag)} data-testid="peer-drag"><span class="peer__name">{peer.user.name}</span></div>}
      {cursor && row !== undefined && (
        <div class="peer__cursor" style={{ "--at": quarters(cursor.tick), "--top": `${(row + Math.min(1, Math.max(0, cursor.y))) * ROW_PX}px` }} data-testid="peer-cursor">
          <svg viewBox="0 0 12 16"><path d="M1 1v12l3-3 2.2 5 2-1L6 9.2h4.4z" /></svg>
          {drag === null && <span class="peer__name">{peer.user.name}</span>}
        </div>
      )}
    </div>
  );
}

const placed = (box: Box): Record<string, string | number> => ({ "--at": quarters(box.start), "--long": quarters(box.end - box.start), "--top": `${box.row * ROW_PX}px` });

function dragged({ drag }: Peer, { rows, clips, tempo }: Omit<MarksProps, "peer">): Box | null {
  const clip = clips.get(drag?.id ?? "");
  const { pos, in: from, out, track } = drag?.keys ?? {};
  const row = rows.get(String(track));
  if (clip === undefined || row === undefined || typeof pos !== "number" || typeof from !== "number" || typeof out !== "number") return null;
  const placedAt = { base: clip.base, pos };
  return { start: tickOf(placedAt, from, tempo), end: tickOf(placedAt, out, tempo), row };
}
