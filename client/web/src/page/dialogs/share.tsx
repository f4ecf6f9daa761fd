/** An invite link, with what it lets people do. */

import { useEffect, useState } from "preact/hooks";
import type { InviteRole } from "../../client/api.ts";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { useStudio } from "../state/studio.ts";

const ROLES: readonly (readonly [InviteRole, string, string])[] = [
  ["editor", "Edit", "They can change everything; you can always go back."],
  ["commenter", "Write notes", "They can look around and leave notes."],
  ["viewer", "Look", "They can look around."],
];

export function Share({ onClose }: { readonly onClose: () => void }) {
  const { api, about } = useStudio();
  const project = about.value.project;
  const [role, setRole] = useState<InviteRole>("editor");
  const [links, setLinks] = useState<{ readonly [role: string]: string }>({});
  const [copied, setCopied] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    setCopied(false);
    if (links[role] !== undefined) return;
    api.createInvite(project.id, role).then(
      (invite) => setLinks((known) => ({ ...known, [role]: `${location.origin}/join/${invite.token}` })),
      (error: Error) => setProblem(error.message),
    );
  }, [role]);
  const link = links[role] ?? "";
  const copy = (): void => void navigator.clipboard.writeText(link).then(() => setCopied(true), () => setProblem("The browser did not allow copying. Select the link instead."));
  return (
    <Dialog title={`Share “${project.name}”`} onClose={onClose} testid="share-dialog">
      <fieldset class="choices">
        <legend>Who has the link can</legend>
        {ROLES.map(([value, name, meaning]) => (
          <label key={value} class="choice">
            <input type="radio" name="role" value={value} checked={role === value} onChange={() => setRole(value)} data-testid={`invite-${value}`} />
            <span><b>{name}</b><small>{meaning}</small></span>
          </label>
        ))}
      </fieldset>
      {problem !== null && <p class="problem" role="alert">{problem}</p>}
      <div class="keep">
        <input class="text" aria-label="Invite link" readOnly value={link} placeholder="Making a link…" onFocus={(event) => event.currentTarget.select()} data-testid="invite-link" data-role={link === "" ? "" : role} />
        <Button kind="main" onClick={copy} disabled={link === ""} testid="invite-copy">{copied ? "Copied" : "Copy link"}</Button>
      </div>
    </Dialog>
  );
}
