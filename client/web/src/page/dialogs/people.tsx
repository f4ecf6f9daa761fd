/** Who belongs to the project, who is here, and what they may do. */

import { useEffect, useState } from "preact/hooks";
import type { Member, Restriction, Role } from "../../client/api.ts";
import { all } from "../../client/pages.ts";
import { Avatar } from "../parts/avatar.tsx";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { notice } from "../state/actions.ts";
import { useChanges, useStore } from "../state/store.ts";
import { reading, useStudio, type Studio } from "../state/studio.ts";
import { Options } from "./options.tsx";
import { Voice } from "./voice.tsx";

const ROLES: readonly (readonly [Role, string])[] = [["editor", "Can edit"], ["commenter", "Can write notes"], ["viewer", "Can look"]];

function reload({ api, about }: Studio): Promise<void> {
  return all((cursor) => api.members(about.value.project.id, cursor)).then((members) => about.set({ members }));
}

export function People({ onClose }: { readonly onClose: () => void }) {
  const studio = useStudio();
  const { members, project } = useStore(studio.about);
  useChanges(studio.session.presence);
  useEffect(() => void reload(studio).catch(() => undefined), []);
  const here = new Set([studio.me.id, ...studio.session.presence.others().map((peer) => peer.user.id)]);
  return (
    <Dialog title="People" onClose={onClose} testid="people-dialog">
      <ul class="members">
        {members.map((member) => (
          <li key={member.user.id} class="member" data-testid="member">
            <Avatar person={member.user} />
            <div class="member__who">
              <span>{member.user.name}{member.user.id === studio.me.id && " (you)"}</span>
              <small>{here.has(member.user.id) ? "Here now" : "Away"}</small>
            </div>
            {project.role === "owner" && member.role !== "owner" ? <RoleChoice member={member} studio={studio} /> : <span class="member__role">{member.role}{member.restriction !== null && `, ${ONLY[member.restriction.only].toLowerCase()}`}</span>}
          </li>
        ))}
      </ul>
      <Options />
      <Voice />
      <footer class="dialog__foot">
        <Button kind="quiet" onClick={() => studio.ui.set({ dialog: "profile" })} testid="edit-profile">My name and colour</Button>
        {project.role !== "owner" && <Twice words="Leave the project" sure="Really leave?" testid="leave-project" onClick={() => void studio.api.removeMember(project.id, studio.me.id).then(() => location.assign("/"), (error: Error) => notice(studio, error.message))} />}
        {project.role === "owner" && <Button kind="main" onClick={() => studio.ui.set({ dialog: "share" })}>Invite people</Button>}
      </footer>
    </Dialog>
  );
}

function RoleChoice({ member, studio }: { readonly member: Member; readonly studio: Studio }) {
  const { api, about } = studio;
  const project = about.value.project.id;
  const done = (request: Promise<unknown>): void => void request.then(() => reload(studio)).catch((error: Error) => notice(studio, error.message));
  return (
    <div class="member__actions">
      <select class="select" aria-label={`What ${member.user.name} may do`} value={member.role} onChange={(event) => done(api.setRole(project, member.user.id, event.currentTarget.value as Role))} data-testid="member-role">
        {ROLES.map(([role, words]) => <option key={role} value={role}>{words}</option>)}
      </select>
      {member.role === "editor" && <Narrowing member={member} studio={studio} onChoice={(restriction) => done(api.setRestriction(project, member.user.id, restriction))} />}
      <Twice words="Make owner" sure="Really give it away?" testid="member-transfer" onClick={() => done(api.transferProject(project, member.user.id).then((given) => about.set({ project: given })))} />
      <Button kind="danger" onClick={() => done(api.removeMember(project, member.user.id))} testid="member-remove">Remove</Button>
    </div>
  );
}

const ONLY = { mix: "Only the mix", markers: "Only markers", tracks: "Only some tracks" } as const;

interface NarrowingProps { readonly member: Member; readonly studio: Studio; readonly onChoice: (restriction: Restriction | null) => void }

/** What an editor may change; for some tracks, which ones. */
function Narrowing({ member, studio, onChoice }: NarrowingProps) {
  const { tracks } = reading(studio.session).view;
  const [choosing, setChoosing] = useState(false);
  const chosen = member.restriction?.tracks ?? [];
  const choose = (value: string): void => {
    setChoosing(value === "tracks");
    if (value === "mix" || value === "markers") onChoice({ only: value });
    else if (value === "") onChoice(null);
  };
  const toggle = (id: string): void => {
    const next = chosen.includes(id) ? chosen.filter((other) => other !== id) : [...chosen, id];
    if (next.length > 0) onChoice({ only: "tracks", tracks: next });
  };
  const only = choosing ? "tracks" : (member.restriction?.only ?? "");
  return (
    <>
      <select class="select" aria-label={`What ${member.user.name} may change`} value={only} onChange={(event) => choose(event.currentTarget.value)} data-testid="member-restriction">
        <option value="">Everything</option>
        {Object.entries(ONLY).map(([value, words]) => <option key={value} value={value}>{words}</option>)}
      </select>
      {only === "tracks" && (
        <fieldset class="member__tracks" aria-label={`Tracks that ${member.user.name} may change`}>
          {tracks.map((track) => (
            <label key={track.id}><input type="checkbox" checked={chosen.includes(track.id)} onChange={() => toggle(track.id)} data-testid="member-track" />{track.name}</label>
          ))}
        </fieldset>
      )}
    </>
  );
}

interface TwiceProps { readonly words: string; readonly sure: string; readonly onClick: () => void; readonly testid: string }

/** What cannot be taken back is asked twice. */
function Twice({ words, sure, onClick, testid }: TwiceProps) {
  const [asked, setAsked] = useState(false);
  return <Button kind={asked ? "danger" : "quiet"} onClick={() => (asked ? onClick() : setAsked(true))} testid={testid}>{asked ? sure : words}</Button>;
}
