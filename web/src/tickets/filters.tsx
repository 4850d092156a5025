import { visit } from "../location";
import { type Asked, addressOfList, ORDER_TITLES, STATES } from "./asked";
import { wordOfState } from "./words";

/** Chooses which tickets are listed. The choice goes into the address. */
export function Filters({ asked }: { asked: Asked }) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const entered = new FormData(event.currentTarget as HTMLFormElement);
    const chosen = new URLSearchParams();
    for (const [name, value] of entered) {
      // What filters nothing and the usual order stay out of the address; another choice begins at the first page.
      const text = String(value).trim();
      if (text && !(name === "order" && text === "newest")) chosen.append(name, text);
    }
    visit(addressOfList(chosen.size > 0 ? `?${chosen}` : ""));
  };
  const { states, category, owner, text, order } = asked;
  return (
    <form class="filters" key={JSON.stringify({ ...asked, page: "" })} onSubmit={submit} aria-label="Filter tickets">
      <details class="states">
        <summary>
          <span class="name">State</span>
          <span>{states.length === 0 ? "any" : states.map(wordOfState).join(", ")}</span>
        </summary>
        <fieldset>
          <legend class="unseen">State</legend>
          {[...STATES].map(([name, state]) => (
            <label key={name}>
              <input type="checkbox" name="state" value={name} defaultChecked={states.includes(state)} />
              {wordOfState(state)}
            </label>
          ))}
        </fieldset>
      </details>
      <Field title="Category" name="category" value={category} />
      <Field title="Owner" name="owner" value={owner} />
      <Field title="Words in title or description" name="text" value={text} />
      <label>
        Order
        <select name="order">
          {Object.entries(ORDER_TITLES).map(([name, title]) => (
            <option key={name} value={name} selected={name === order}>
              {title}
            </option>
          ))}
        </select>
      </label>
      <button type="submit">Apply</button>
    </form>
  );
}

function Field({ title, name, value }: { title: string; name: string; value: string }) {
  return (
    <label>
      {title}
      <input name={name} defaultValue={value} autocomplete="off" />
    </label>
  );
}
