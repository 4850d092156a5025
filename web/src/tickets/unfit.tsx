import { Link } from "../link";
import { useTitle } from "../location";

interface Props {
  title: string;
  reason: string;
  /** Where to go instead. */
  back: string;
  backTo: string;
}

/** Says why an address shows nothing, and leads to one that does. */
export function Unfit({ title, reason, back, backTo }: Props) {
  useTitle(title);
  return (
    <>
      <div class="heading">
        <h1>{title}</h1>
      </div>
      <div class="notice" role="alert">
        <strong>This address names nothing that can be shown.</strong>
        <p>{reason}.</p>
        <p>
          <Link to={back}>{backTo}</Link>
        </p>
      </div>
    </>
  );
}
