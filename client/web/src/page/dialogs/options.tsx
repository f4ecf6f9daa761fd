/** What a project decides for itself: the owner chooses, the others see what was chosen. And the way out with one's work. */

import { useEffect, useState } from "preact/hooks";
import { mayEdit, type OptionName, type Options as Chosen } from "../../client/api.ts";
import { Button } from "../parts/button.tsx";
import { notice } from "../state/actions.ts";
import { useStore } from "../state/store.ts";
import { useStudio, type Studio } from "../state/studio.ts";

const CHOICES: readonly (readonly [OptionName, string, string])[] = [
  ["editors_restore", "Editors can bring back earlier versions", "What was there before is kept each time."],
  ["commenters_transport", "People who write notes can play and stop for everybody", "Otherwise they listen along, or play on their own."],
  ["readers_export", "People who cannot edit can download the project", "As a file with everything in it."],
  ["viewers_listen", "People who look can listen in the voice room", "They cannot talk either way."],
];

export function Options() {
  const studio = useStudio();
  const { api, about } = studio;
  const { project } = useStore(about);
  const [chosen, setChosen] = useState<Chosen | string>("Looking what this project allows…");
  const [busy, setBusy] = useState(false);
  useEffect(() => void api.options(project.id).then(setChosen, (error: Error) => setChosen(error.message)), [project.id, project.role]);
  if (typeof chosen === "string") return <p class="side__empty" data-testid="options-state">{chosen}</p>;
  const choose = (changes: Partial<Chosen>): void => {
    setBusy(true);
    setChosen({ ...chosen, ...changes });
    const refused = (error: Error): void => {
      setChosen(chosen);
      notice(studio, error.message);
    };
    const done = (options: Chosen): void => {
      setChosen(options);
      about.set({ options });
    };
    void api.setOptions(project.id, changes).then(done, refused).finally(() => setBusy(false));
  };
  return (
    <section aria-label="What this project allows" data-testid="options">
      <h3 class="side__section">What this project allows</h3>
      <fieldset class="choices" disabled={project.role !== "owner" || busy}>
        {CHOICES.map(([name, words, meaning]) => (
          <label key={name} class="choice">
            <input type="checkbox" checked={chosen[name]} onChange={(event) => choose({ [name]: event.currentTarget.checked })} data-testid={`option-${name}`} />
            <span><b>{words}</b><small>{meaning}</small></span>
          </label>
        ))}
      </fieldset>
      {(mayEdit(project.role) || chosen.readers_export) && (
        <footer class="dialog__foot"><Button kind="quiet" onClick={() => download(studio)} testid="export">Download the project</Button></footer>
      )}
    </section>
  );
}

/** Fetched first and offered then: a refusal becomes a sentence, and not a file. */
function download(studio: Studio): void {
  const { id, name } = studio.about.value.project;
  const offer = (file: Blob): void => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = `${name}.yjs`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  };
  studio.api.exported(id).then(offer, (error: Error) => notice(studio, error.message));
}
