/** Step 3: the operation, its options, the model, and the first request as it will be sent. */

import type { InputField } from 'winnow:schema';
import { useId } from 'react';
import type { ResultOf } from '../../data/graphql.ts';
import { count, many } from '../../words/numbers.ts';
import { visible } from '../../words/text.ts';
import { parseCategories } from './categories.ts';
import type { NewBatchService } from './documents.ts';
import { EnrichFields } from './enrich-part.tsx';
import { Field } from './field.tsx';
import { Folded } from './folded.tsx';
import type { Form, Problems } from './form.ts';
import { OptionField } from './option-field.tsx';
import { commonFieldsOf, lookOf, otherFieldsOf } from './options.ts';
import { Step } from './step.tsx';
import { type OperationName, operationNames } from './submission.ts';

export type ModelInfo = ResultOf<typeof NewBatchService>['service']['models'][number];

export function WhatStep({
  number,
  form,
  change,
  problems,
  isRequests,
  models,
  defaultModel,
  firstRequest,
}: {
  /** Null for a step that stands alone. */
  number: number | null;
  form: Form;
  change: (changes: Partial<Form>) => void;
  problems: Problems;
  /** The file holds whole requests. */
  isRequests: boolean;
  models: readonly ModelInfo[];
  defaultModel: string | null;
  firstRequest: Record<string, unknown> | null;
}) {
  const typed = form.options[form.operation];
  const common = commonFieldsOf(form.operation);
  const others = otherFieldsOf(form.operation);
  const changeOption = (name: string, value: string) =>
    change({
      options: { ...form.options, [form.operation]: { ...typed, [name]: value } },
    });
  const drawOption = (field: InputField) => (
    <OptionField
      key={field.name}
      field={field}
      typed={typed[field.name] ?? ''}
      onChange={(value) => changeOption(field.name, value)}
      problem={problems[field.name]}
    />
  );
  return (
    <Step
      number={number}
      title="What to do"
      beside={<Operations form={form} change={change} isRequests={isRequests} />}
    >
      {form.operation === 'label' && (
        <CategoriesField form={form} change={change} problem={problems.categories} />
      )}
      {form.operation === 'enrich' && (
        <EnrichFields
          rows={form.fields}
          change={(fields) => change({ fields })}
          problem={problems.fields}
        />
      )}
      <div className="options">
        {common.filter((field) => lookOf(field) !== 'check').map(drawOption)}
        <ModelField
          form={form}
          change={change}
          models={models}
          defaultModel={defaultModel}
          problem={problems.model}
        />
        {common.filter((field) => lookOf(field) === 'check').map(drawOption)}
      </div>
      <Folded name="More options" problems={problems} fields={others.map(({ name }) => name)}>
        <div className="options">{others.map(drawOption)}</div>
      </Folded>
      {firstRequest && <FirstRequest body={firstRequest} note="for the first row" />}
    </Step>
  );
}

const words: Readonly<Record<OperationName, string>> = {
  label: 'Label',
  extract: 'Extract',
  summarize: 'Summarize',
  enrich: 'Enrich',
  run: 'Run',
  chat: 'Chat',
};

function Operations({
  form,
  change,
  isRequests,
}: {
  form: Form;
  change: (changes: Partial<Form>) => void;
  isRequests: boolean;
}) {
  const group = useId();
  const shown = operationNames.filter((name) => (name === 'chat') === isRequests);
  return (
    <fieldset className="choices">
      <legend className="hidden">Operation</legend>
      {shown.map((name) => (
        <label key={name} className={name === form.operation ? 'chosen' : undefined}>
          <input
            type="radio"
            className="hidden"
            name={group}
            checked={name === form.operation}
            onChange={() => change({ operation: name })}
          />
          {words[name]}
        </label>
      ))}
    </fieldset>
  );
}

function CategoriesField({
  form,
  change,
  problem,
}: {
  form: Form;
  change: (changes: Partial<Form>) => void;
  problem?: string;
}) {
  const { names, descriptions } = parseCategories(form.categories);
  return (
    <>
      <Field
        label="Categories"
        note="2 to 500, one a line or with commas; a meaning behind a colon"
        problem={problem}
      >
        {(parts) => (
          <textarea
            {...parts}
            className="input"
            rows={Math.min(8, Math.max(2, form.categories.split('\n').length))}
            dir="auto"
            value={form.categories}
            onChange={(event) => change({ categories: event.target.value })}
          />
        )}
      </Field>
      {names.length > 0 && (
        <p className="soft small tags">
          {names.slice(0, 12).map((name) => (
            <span key={name} className="tag" title={descriptions[name]}>
              {visible(name)}
            </span>
          ))}
          {names.length > 12 && <span>and {count(names.length - 12)} more: </span>}
          <span>{many(names.length, 'category', 'categories')}</span>
        </p>
      )}
    </>
  );
}

function ModelField({
  form,
  change,
  models,
  defaultModel,
  problem,
}: {
  form: Form;
  change: (changes: Partial<Form>) => void;
  models: readonly ModelInfo[];
  defaultModel: string | null;
  problem?: string;
}) {
  const list = useId();
  const chosen = models.find(({ id }) => id === (form.model || defaultModel));
  return (
    <Field label="Model" note={priceOf(chosen)} problem={problem}>
      {(parts) => (
        <>
          <input
            {...parts}
            className="input"
            list={list}
            placeholder={defaultModel ?? ''}
            value={form.model}
            spellCheck={false}
            onChange={(event) => change({ model: event.target.value.trim() })}
          />
          <datalist id={list}>
            {models.map(({ id }) => (
              <option key={id} value={id} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

/** Price of a million tokens. */
function priceOf(model: ModelInfo | undefined): string | undefined {
  if (!model) return undefined;
  if (model.inputPrice === null || model.outputPrice === null) return 'no known price';
  const dollars = (value: number) => `$${value.toFixed(2)}`;
  return `${dollars(model.inputPrice)} in, ${dollars(model.outputPrice)} out, a million tokens`;
}

export function FirstRequest({
  body,
  note,
}: {
  body: Record<string, unknown>;
  /** Which row it is of, where there are several. */
  note?: string;
}) {
  return (
    <div className="field">
      <h3 className="small">What is sent {note && <span className="soft">{note}</span>}</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys. */}
      <section className="sent mono" tabIndex={0} aria-label="What is sent">
        {messagesOf(body).map(({ role, text }) => (
          <p key={`${role} ${text.slice(0, 40)}`} dir="auto">
            <span className="soft">{role}</span> {visible(text, { lines: true })}
          </p>
        ))}
        <details>
          <summary>the whole body</summary>
          <pre>{visible(JSON.stringify(body, null, 2), { lines: true })}</pre>
        </details>
      </section>
    </div>
  );
}

function messagesOf(body: Record<string, unknown>): { role: string; text: string }[] {
  const system = body.system ? [{ role: 'system', content: body.system }] : [];
  const given = Array.isArray(body.messages) ? (body.messages as object[]) : [];
  return [...system, ...given].map((message) => {
    const { role, content } = message as { role?: unknown; content?: unknown };
    return { role: String(role), text: typeof content === 'string' ? content : textOf(content) };
  });
}

/** Text of a content in parts. */
function textOf(content: unknown): string {
  if (!Array.isArray(content)) return JSON.stringify(content);
  return content
    .map((part: { text?: unknown }) => (typeof part.text === 'string' ? part.text : '…'))
    .join('\n');
}
