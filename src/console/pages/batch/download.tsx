/** The answers as a file: five formats, with the filter of the results. */
import { useState } from 'react';
import { useClient } from 'urql';
import { graphql } from '../../data/graphql.ts';
import { Menu, MenuCheck, MenuItem, MenuNote, MenuRule } from '../../parts/menu.tsx';
import { sentenceOf } from '../../parts/part.tsx';
import { many } from '../../words/numbers.ts';
import type { Batch } from './documents.ts';
import { isFiltered, type RowFilter } from './results/filter.ts';

/** The links are valid for minutes: each is made when it is wanted. */
const OutputLink = graphql(`
  query OutputLink(
    $id: ID!
    $format: OutputFormat!
    $includeInput: Boolean
    $bom: Boolean
    $status: [ItemStatus!]
    $labels: [String!]
    $confidenceBelow: Float
  ) {
    batch(id: $id) {
      id
      outputUrl(
        format: $format
        includeInput: $includeInput
        bom: $bom
        status: $status
        labels: $labels
        confidenceBelow: $confidenceBelow
      )
    }
  }
`);

const formats = [
  ['CSV', 'CSV', 'the columns of the input, then the answers'],
  ['JSONL', 'JSON lines', 'one record a line'],
  ['JSON', 'JSON', 'one array'],
  ['OPENAI_JSONL', 'OpenAI batch lines', 'only finished rows'],
  ['ANTHROPIC_JSONL', 'Anthropic result lines', 'only finished rows'],
] as const;

export function Download({ batch, filter }: { batch: Batch; filter: RowFilter }) {
  const client = useClient();
  const [onlyFiltered, setOnlyFiltered] = useState(true);
  const [withInput, setWithInput] = useState(true);
  const [forExcel, setForExcel] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const taken = isFiltered(filter) && onlyFiltered;
  const off = batch.contentDeletedAt
    ? 'Off: its answers are deleted.'
    : taken
      ? whyOff(filter)
      : null;

  async function download(format: (typeof formats)[number][0]) {
    setProblem(null);
    const { data, error } = await client
      .query(
        OutputLink,
        {
          id: batch.id,
          format,
          includeInput: withInput,
          bom: forExcel,
          status: taken && filter.status ? [filter.status] : null,
          labels: taken && filter.labels.length > 0 ? [...filter.labels] : null,
          confidenceBelow: taken ? filter.below : null,
        },
        { requestPolicy: 'network-only' },
      )
      .toPromise();
    const url = data?.batch?.outputUrl;
    if (url) save(url);
    else setProblem(error ? sentenceOf(error) : 'There is no such batch.');
  }

  return (
    <>
      <Menu name="Download" look="first">
        {formats.map(([format, name, note]) => (
          <MenuItem
            key={format}
            note={note}
            disabled={off !== null}
            onClick={() => void download(format)}
          >
            {name}
          </MenuItem>
        ))}
        <MenuRule />
        {isFiltered(filter) && (
          <MenuCheck checked={onlyFiltered} onChange={setOnlyFiltered}>
            Only the rows of the filter
          </MenuCheck>
        )}
        <MenuCheck checked={withInput} onChange={setWithInput}>
          JSON with the input
        </MenuCheck>
        <MenuCheck checked={forExcel} onChange={setForExcel}>
          CSV as Excel reads it
        </MenuCheck>
        <MenuNote>
          {off ?? (taken ? 'The filter goes along.' : `${many(batch.counts.total, 'row')}.`)}
        </MenuNote>
      </Menu>
      {problem && (
        <span role="alert" className="small bad-ink">
          {problem}
        </span>
      )}
    </>
  );
}

/** The page stays where it is, whatever comes back. */
function save(url: string) {
  const link = document.createElement('a');
  link.href = url;
  link.download = '';
  link.click();
}

/** Why the filter cannot go along; null where it can. */
function whyOff({ search, code }: RowFilter): string | null {
  if (search) return 'Off: a download cannot look for a text. Untick to have every row.';
  if (code) return 'Off: a download cannot choose one error code. Untick to have every row.';
  return null;
}
