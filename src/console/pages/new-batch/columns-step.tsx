/** Step 2: which column is the text and which the id, with some rows of the file. */
import { useLiveQuery } from '../../data/use-live-query.ts';
import { PartError, Skeleton } from '../../parts/part.tsx';
import { RowTable } from '../../parts/row-table.tsx';
import { visible } from '../../words/text.ts';
import type { SourceFileData } from './data-step.tsx';
import { SampleRows } from './documents.ts';
import { Field } from './field.tsx';
import { useOpening } from './folded.tsx';
import type { Form, Problems } from './form.ts';
import { Step } from './step.tsx';

const shownRows = 10;
const mostColumns = 6;

export function ColumnsStep({
  form,
  change,
  file,
  problems,
}: {
  form: Form;
  change: (changes: Partial<Form>) => void;
  file: SourceFileData;
  problems: Problems;
}) {
  // The rows of a text file, and the texts of a list, are the text themselves.
  const isText = file.contentField === null && file.columns.length <= 1;
  const isUnclear = file.contentField === null && !isText;
  const [open, setOpen] = useOpening(problems, ['contentField', 'customIdField'], isUnclear);
  const text = form.contentField ?? file.contentField;
  const id = form.customIdField ?? file.customIdField;
  const summary = (
    <>
      {text ? (
        <>
          the text is <code>{visible(text)}</code>
        </>
      ) : isText ? (
        'each row is a text'
      ) : (
        'the whole row goes to the model'
      )}
      {id ? (
        <>
          , the id <code>{visible(id)}</code>
        </>
      ) : (
        ', rows are numbered'
      )}
      {file.columns.length > 1 && '; all columns come back in the output'}
    </>
  );
  return (
    <Step
      number={2}
      title="Columns"
      done={!open}
      onChange={() => setOpen(true)}
      summary={open ? null : summary}
    >
      <div className="two-fields">
        <Field
          label="Text"
          note={text ? undefined : 'without one, the whole row goes to the model'}
          problem={problems.contentField}
        >
          {(parts) => (
            <select
              {...parts}
              className="input"
              value={text ?? ''}
              onChange={(event) => change({ contentField: event.target.value || null })}
            >
              {!file.contentField && <option value="">the whole row</option>}
              <Columns names={file.columns} />
            </select>
          )}
        </Field>
        <Field label="Id" note="names each row in the output" problem={problems.customIdField}>
          {(parts) => (
            <select
              {...parts}
              className="input"
              value={id ?? ''}
              onChange={(event) => change({ customIdField: event.target.value })}
            >
              <option value="">the number of the row</option>
              <Columns names={file.columns} />
            </select>
          )}
        </Field>
      </div>
      <Rows file={file} text={text} />
    </Step>
  );
}

function Columns({ names }: { names: readonly string[] }) {
  return names.map((name) => (
    <option key={name} value={name}>
      {visible(name)}
    </option>
  ));
}

function Rows({ file, text }: { file: SourceFileData; text: string | null }) {
  const [{ data, error, fetching }, ask] = useLiveQuery({
    query: SampleRows,
    variables: { id: file.id, first: shownRows, seed: 0 },
    requestPolicy: 'cache-first',
  });
  if (error && !data) {
    return (
      <PartError
        error={error}
        what="Some rows"
        again={() => ask({ requestPolicy: 'network-only' })}
      />
    );
  }
  const rows = data?.file?.sample ?? [];
  if (fetching && rows.length === 0) return <Skeleton lines={5} />;
  // The text first, then as many others as the step has room for.
  const columns = [text, ...file.columns.filter((name) => name !== text)].filter(
    (name) => name !== null,
  );
  return (
    <RowTable
      name="Some rows of the file"
      columns={columns}
      rows={rows}
      most={mostColumns}
      chosen={text}
    />
  );
}
