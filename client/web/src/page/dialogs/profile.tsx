/** One's own name and colour, as others see them. */

import { useState } from "preact/hooks";
import { PALETTE } from "../../client/schema.ts";
import { Avatar } from "../parts/avatar.tsx";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { useStudio } from "../state/studio.ts";

export function Profile({ onClose }: { readonly onClose: () => void }) {
  const { api, me } = useStudio();
  const [name, setName] = useState(me.name);
  const [color, setColor] = useState(me.color);
  const [problem, setProblem] = useState<string | null>(null);
  const keep = (): void => void api.updateMe({ name: name.trim() || me.name, color }).then(() => location.reload(), (error: Error) => setProblem(error.message));
  return (
    <Dialog title="My name and colour" onClose={onClose} testid="profile-dialog">
      <form class="profile" onSubmit={(event) => { event.preventDefault(); keep(); }}>
        <div class="profile__line"><Avatar person={{ name: name || me.name, color }} /><input class="text" aria-label="My name" maxLength={80} value={name} onInput={(event) => setName(event.currentTarget.value)} data-testid="profile-name" /></div>
        <div class="swatches" role="radiogroup" aria-label="My colour">
          {PALETTE.map((value) => <button key={value} type="button" role="radio" class="swatch" aria-checked={value === color} aria-label={`Colour ${value}`} style={{ "--color": value }} onClick={() => setColor(value)} />)}
        </div>
        {problem !== null && <p class="problem" role="alert">{problem}</p>}
        <footer class="dialog__foot"><Button kind="main" type="submit" onClick={() => undefined} testid="profile-keep">Keep</Button></footer>
      </form>
    </Dialog>
  );
}
