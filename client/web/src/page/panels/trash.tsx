/** What was deleted: it comes back, or its owner removes it for good. */

import { useState } from "preact/hooks";
import * as edits from "../../client/edits.ts";
import { ofDeleted } from "../../client/rights.ts";
import type { Canonical, Entity, Root } from "../../client/schema.ts";
import { entities, isDeleted } from "../../client/valid.ts";
import { ago } from "../parts/ago.ts";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { notice } from "../state/actions.ts";
import { useLocks, whyNot } from "../state/rights.ts";
import { useStore } from "../state/store.ts";
import { useReading, usePeople, useStudio, type Studio } from "../state/studio.ts";

const KINDS: readonly (readonly [Root, string])[] = [["tracks", "Track"], ["clips", "Clip"], ["effects", "Effect"], ["markers", "Marker"], ["notes", "Note"]];

/** `on` is the track it lies on, `hidden` whether that is deleted too: brought back alone it would not be seen. */
interface Gone { readonly root: Root; readonly id: string; readonly kind: string; readonly name: string; readonly on: string | null; readonly hidden: boolean; readonly fields: Entity; readonly by: string; readonly at: number }

function gone(document: Canonical): Gone[] {
  const tracks = new Map(entities(document, "tracks"));
  const found = KINDS.flatMap(([root, kind]) =>
    entities(document, root).filter(([id, fields]) => isDeleted(id, fields)).map(([id, fields]) => {
      const track = typeof fields["track"] === "string" ? fields["track"] : null;
      const holder = track === null ? undefined : tracks.get(track);
      return { root, id, kind, name: nameOf(fields), on: holder === undefined ? null : nameOf(holder), hidden: track !== null && holder !== undefined && isDeleted(track, holder), fields, ...stamp(fields) };
    }),
  );
  return found.sort((a, b) => b.at - a.at);
}

const nameOf = (fields: Entity): string => String(fields["name"] ?? fields["label"] ?? fields["body"] ?? fields["kind"] ?? "").slice(0, 60);

function stamp(fields: Entity): { readonly by: string; readonly at: number } {
  const [by, at] = fields["deleted"] as readonly [string, number];
  return { by, at };
}

function bringBack({ session }: Studio, { root, id }: Gone): void {
  if (root === "tracks") edits.undeleteTrack(session.pen, id);
  if (root === "clips") edits.undeleteClips(session.pen, [id]);
  if (root === "effects") edits.undeleteEffect(session.pen, id);
  if (root === "markers") edits.undeleteMarker(session.pen, id);
  if (root === "notes") edits.undeleteNote(session.pen, id);
}

export function Trash() {
  const studio = useStudio();
  const { document } = useReading();
  const { role } = useStore(studio.about).project;
  const [doomed, setDoomed] = useState<Gone | null>(null);
  const items = gone(document);
  return (
    <div class="side__body">
      {items.length === 0 && <p class="side__empty">Nothing has been deleted. What you delete waits here and can come back.</p>}
      {items.length > 0 && <p class="side__hint">What is here goes for good thirty days after it was deleted.</p>}
      <ul class="versions">
        {items.map((item) => <Item key={`${item.root}/${item.id}`} item={item} onPurge={role === "owner" ? () => setDoomed(item) : null} />)}
      </ul>
      {doomed !== null && <Purge item={doomed} onClose={() => setDoomed(null)} />}
    </div>
  );
}

const called = ({ kind, name }: Gone): string => (name === "" ? kind : `${kind} “${name}”`);

interface ItemProps { readonly item: Gone; readonly onPurge: (() => void) | null }

function Item({ item, onPurge }: ItemProps) {
  const studio = useStudio();
  const people = usePeople();
  const locks = useLocks();
  const place = item.on === null ? "" : item.hidden ? ` · on “${item.on}”, deleted too` : ` · on “${item.on}”`;
  return (
    <li class="trash" data-testid="trash-item" data-root={item.root}>
      <div>
        <div class="version__name">{called(item)}</div>
        <div class="version__by">{people.get(item.by)?.name ?? "Somebody"} · {ago(item.at)}{place}</div>
      </div>
      <div class="trash__actions">
        {studio.session.canEdit && <Button kind="quiet" why={whyNot(studio, [ofDeleted(item.root, item.id, item.fields)], locks)} onClick={() => bringBack(studio, item)} testid="undelete">Bring back</Button>}
        {onPurge !== null && <Button kind="danger" onClick={onPurge} testid="purge">Delete for good</Button>}
      </div>
    </li>
  );
}

/** It cannot be taken back: asked before it is done. */
function Purge({ item, onClose }: { readonly item: Gone; readonly onClose: () => void }) {
  const studio = useStudio();
  const { api, about } = studio;
  const [busy, setBusy] = useState(false);
  const purge = (): void => {
    setBusy(true);
    api.purge(about.value.project.id, item.root, item.id).then(onClose, (error: Error) => {
      onClose();
      notice(studio, error.message);
    });
  };
  return (
    <Dialog title="Delete for good?" onClose={onClose} testid="purge-dialog">
      <p>{called(item)} leaves the trash for good{item.root === "tracks" ? ", with everything on it" : ""}. Nobody can bring it back from here; only versions kept before still have it.</p>
      <footer class="dialog__foot">
        <Button onClick={onClose} testid="purge-cancel">Keep it</Button>
        <Button kind="danger" disabled={busy} onClick={purge} testid="purge-confirm">Delete for good</Button>
      </footer>
    </Dialog>
  );
}
