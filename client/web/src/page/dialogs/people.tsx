/** Who belongs to the project, who is here, and what they may do. */

import { useEffect } from "preact/hooks";
import type { Member, Role } from "../../client/api.ts";
import { Avatar } from "../parts/avatar.tsx";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { notice } from "../state/actions.ts";
import { useChanges, useStore } from "../state/store.ts";
import { useStudio, type Studio } from "../state/studio.ts";
import { Voice } from "./voice.tsx";

const ROLES: readonly (readonly [Role, string])[] = [["editor", "Can edit"], ["commenter", "Can write notes"], ["viewer", "Can look"]];

function reload({ api, about }: Studio): Promise<void> {
  return api.members(about.value.project.id).then((page) => about.set({ members: page.items }));
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
            {project.role === "owner" && member.role !== "owner" ? <RoleChoice member={member} studio={studio} /> : <span class="member__role">{member.role}</span>}
          </li>
        ))}
      </ul>
      <Voice />
      <footer class="dialog__foot">
        <Button kind="quiet" onClick={() => studio.ui.set({ dialog: "profile" })} testid="edit-profile">My name and colour</Button>
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
      <Button kind="danger" onClick={() => done(api.removeMember(project, member.user.id))} testid="member-remove">Remove</Button>
    </div>
  );
}
