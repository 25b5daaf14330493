/** The list before there is a batch: three ways in. */
import { Link } from 'wouter';

export function FirstSteps() {
  return (
    <section className="first-steps" aria-labelledby="first-steps">
      <h2 id="first-steps">Ask a model about every row of your data</h2>
      <p className="soft">There is no batch yet. Three ways to the first one:</p>
      <ul>
        <li>
          <Link href="/new?data=file" className="card way">
            <b>Drop a file</b>
            <span className="soft">CSV, JSON, JSONL or text, one row an item.</span>
          </Link>
        </li>
        <li>
          <Link href="/new?data=paste" className="card way">
            <b>Paste texts</b>
            <span className="soft">One a line, straight from a spreadsheet.</span>
          </Link>
        </li>
        <li>
          <Link href="/new?data=demo" className="card way">
            <b>Try the demo</b>
            <span className="soft">3,080 questions to a bank, sorted into 77 categories.</span>
          </Link>
        </li>
      </ul>
    </section>
  );
}
