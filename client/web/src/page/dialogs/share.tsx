/** Invite links: a new one, with what it lets people do and how many; and those that let people in now. */

import { useState } from "preact/hooks";
import type { Invite, InviteRole } from "../../client/api.ts";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { usePages } from "../state/pages.ts";
import { useStudio } from "../state/studio.ts";

const ROLES: readonly (readonly [InviteRole, string, string])[] = [
  ["editor", "Edit", "They can change everything; you can always go back."],
  ["commenter", "Write notes", "They can look around and leave notes."],
  ["viewer", "Look", "They can look around."],
];
const USES = [1, 5, 25] as const;

interface Link { readonly id: string; readonly role: InviteRole; readonly url: string }

export function Share({ onClose }: { readonly onClose: () => void }) {
  const { api, about } = useStudio();
  const project = about.value.project;
  const [role, setRole] = useState<InviteRole>("editor");
  const [uses, setUses] = useState<number | null>(null);
  const [link, setLink] = useState<Link | null>(null);
  const [copied, setCopied] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const invites = usePages((cursor) => api.invites(project.id, cursor), ({ id }) => id, [project.id]);
  const failed = (error: Error): void => setProblem(error.message);
  const chosen = (choose: () => void) => (): void => {
    choose();
    setLink(null);
    setCopied(false);
  };
  const make = (): void => void api.createInvite(project.id, role, uses).then(({ id, token }) => {
    setLink({ id, role, url: `${location.origin}/join/${token}` });
    setProblem(null);
    return invites.look();
  }).catch(failed);
  const copy = (): void => void navigator.clipboard.writeText(link?.url ?? "").then(() => setCopied(true), () => setProblem("The browser did not allow copying. Select the link instead."));
  const withdraw = (id: string): void => void api.withdrawInvite(project.id, id).then(() => {
    if (link?.id === id) setLink(null);
    return invites.look();
  }).catch(failed);
  const open = invites.items.filter(lets);
  return (
    <Dialog title={`Share “${project.name}”`} onClose={onClose} testid="share-dialog">
      <fieldset class="choices">
        <legend>Who has the link can</legend>
        {ROLES.map(([value, name, meaning]) => (
          <label key={value} class="choice">
            <input type="radio" name="role" value={value} checked={role === value} onChange={chosen(() => setRole(value))} data-testid={`invite-${value}`} />
            <span><b>{name}</b><small>{meaning}</small></span>
          </label>
        ))}
      </fieldset>
      <label class="invite__uses">It lets in
        <select class="select" value={uses ?? ""} onChange={(event) => chosen(() => setUses(Number(event.currentTarget.value) || null))()} data-testid="invite-uses">
          <option value="">as many as like</option>
          {USES.map((many) => <option key={many} value={many}>{many === 1 ? "one person" : `${many} people`}</option>)}
        </select>
      </label>
      {problem !== null && <p class="problem" role="alert">{problem}</p>}
      {link === null ? <Button kind="main" onClick={make} testid="invite-make">Make a link</Button> : (
        <div class="keep">
          <input class="text" aria-label="Invite link" readOnly value={link.url} onFocus={(event) => event.currentTarget.select()} data-testid="invite-link" data-role={link.role} />
          <Button kind="main" onClick={copy} testid="invite-copy">{copied ? "Copied" : "Copy link"}</Button>
        </div>
      )}
      {(open.length > 0 || invites.more !== null) && (
        <section class="dialog__part" aria-label="Links that let people in">
          <h3 class="side__section">Links that let people in</h3>
          <ul class="versions invites">
            {open.map((invite) => (
              <li key={invite.id} class="trash" data-testid="invite">
                <div>
                  <div class="version__name">{ROLES.find(([value]) => value === invite.role)?.[1]}{invite.id === link?.id && " (the new one)"}</div>
                  <div class="version__by">{used(invite)} · until {new Date(invite.expires_at).toLocaleDateString()}</div>
                </div>
                <Button kind="quiet" onClick={() => withdraw(invite.id)} testid="invite-withdraw">Withdraw</Button>
              </li>
            ))}
          </ul>
          {invites.more !== null && <Button kind="quiet" onClick={invites.more} testid="invites-more">More links</Button>}
        </section>
      )}
    </Dialog>
  );
}

/** Used up or too old: nobody comes in by it any more. */
const lets = ({ uses, max_uses, expires_at }: Invite): boolean => Date.parse(expires_at) > Date.now() && (max_uses === null || uses < max_uses);

const used = ({ uses, max_uses }: Invite): string => (max_uses === null ? `used ${uses === 1 ? "once" : `${uses} times`}` : `used ${uses} of ${max_uses}`);
