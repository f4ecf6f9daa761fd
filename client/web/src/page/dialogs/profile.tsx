/** One's own name and colour, as others see them. */

import { useState } from "preact/hooks";
import { PALETTE } from "../../client/schema.ts";
import { NUDGE_MAX_MS, type Metronome } from "../../transport/metronome.ts";
import { Avatar } from "../parts/avatar.tsx";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { useStudio } from "../state/studio.ts";

export function Profile({ onClose }: { readonly onClose: () => void }) {
  const { api, me, sound } = useStudio();
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
      <Device metronome={sound.metronome} />
    </Dialog>
  );
}

/** What the browser cannot know of it; kept at once, and on this device alone. */
function Device({ metronome }: { readonly metronome: Metronome }) {
  return (
    <section class="dialog__part" aria-label="This device">
      <h3 class="side__section">This device</h3>
      <label class="profile__line">The metronome's clicks come later by
        <input type="number" class="text profile__number" min={-NUDGE_MAX_MS} max={NUDGE_MAX_MS} step={5} defaultValue={String(metronome.nudge)} data-testid="nudge" onChange={(event) => {
          metronome.nudge = event.currentTarget.valueAsNumber;
          event.currentTarget.value = String(metronome.nudge);
        }} />ms
      </label>
      <p class="side__hint profile__hint">Headphones without a wire are late: −150 makes up for 150 ms.</p>
    </section>
  );
}
