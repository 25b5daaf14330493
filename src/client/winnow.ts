/** The client of one server. */
import { Batches } from './batches.ts';
import { Files } from './files.ts';
import { toEnrichOptions, toItems, withFormat } from './inputs.ts';
import type {
  EnrichOptions,
  ExtractOptions,
  LabelOptions,
  RunOptions,
  SummarizeOptions,
} from './options.ts';
import { readPages } from './pages.ts';
import { type QuoteOptions, readQuote } from './quote.ts';
import type { Quote, Spending } from './quote-types.ts';
import type {
  Answers,
  DataResult,
  LabelResult,
  RunResult,
  SummarizeResult,
} from './result-types.ts';
import type { AnswerSchema, DataOf, EnrichData, EnrichField } from './schema-types.ts';
import { readSettings, type WinnowOptions } from './settings.ts';
import { lower, toModel, toParsed, toSpending, toStatuses } from './shapes.ts';
import { createTransport, type Transport } from './transport.ts';
import type { CallOptions, ItemStatus, Items, Model, ParsedResult } from './types.ts';

export interface ParseOptions<Schema extends AnswerSchema = AnswerSchema> extends CallOptions {
  /** The schema that answers are held to. Absent: any answer is valid. */
  responseSchema?: Schema | undefined;
  /** Only results with one of these statuses. Absent: all. */
  status?: ItemStatus | readonly ItemStatus[] | undefined;
}

/** Operations on up to 50 items at once, batches over any number, and files. */
export class Winnow {
  readonly batches: Batches;
  readonly files: Files;
  readonly #transport: Transport;

  /** Throws TypeError for a URL that is not one. */
  constructor(options: WinnowOptions = {}) {
    this.#transport = createTransport(readSettings(options));
    this.batches = new Batches(this.#transport);
    this.files = new Files(this.#transport);
  }

  /** Sorts each item into one of the categories, or into all that apply. */
  async label<const Category extends string>(
    items: Items,
    { signal, ...options }: LabelOptions<Category> & CallOptions,
  ): Promise<Answers<LabelResult<Category>>> {
    const variables = { items: toItems(items), options };
    const { label } = await this.#transport.ask('Label', variables, this.#atOnce(signal));
    const results = label.results.map((result) => ({
      ...result,
      confidenceMethod: result.confidenceMethod && lower(result.confidenceMethod),
    }));
    return { ...label, results: results as LabelResult<Category>[] };
  }

  /** Extracts values into an object with the fields of the schema. */
  async extract<const Schema extends AnswerSchema>(
    items: Items,
    { signal, ...options }: ExtractOptions<Schema> & CallOptions,
  ): Promise<Answers<DataResult<DataOf<Schema>>>> {
    const variables = { items: toItems(items), options };
    const { extract } = await this.#transport.ask('Extract', variables, this.#atOnce(signal));
    return extract as Answers<DataResult<DataOf<Schema>>>;
  }

  /** Summarizes each item, as text or as an object. */
  async summarize<const Schema extends AnswerSchema>(
    items: Items,
    { signal, ...options }: SummarizeOptions<Schema> & CallOptions = {},
  ): Promise<Answers<SummarizeResult<DataOf<Schema>>>> {
    const variables = { items: toItems(items), options: withFormat(options) };
    const { summarize } = await this.#transport.ask('Summarize', variables, this.#atOnce(signal));
    return summarize as Answers<SummarizeResult<DataOf<Schema>>>;
  }

  /** Fills in fields for each item, from its text and from general knowledge. */
  async enrich<const Fields extends readonly EnrichField[]>(
    items: Items,
    { signal, ...options }: EnrichOptions<Fields> & CallOptions,
  ): Promise<Answers<DataResult<EnrichData<Fields>>>> {
    const variables = { items: toItems(items), options: toEnrichOptions(options) };
    const { enrich } = await this.#transport.ask('Enrich', variables, this.#atOnce(signal));
    return enrich as Answers<DataResult<EnrichData<Fields>>>;
  }

  /** Runs a task of your own on each item. */
  async run<const Schema extends AnswerSchema>(
    items: Items,
    { signal, ...options }: RunOptions<Schema> & CallOptions,
  ): Promise<Answers<RunResult<DataOf<Schema>>>> {
    const variables = { items: toItems(items), options: withFormat(options) };
    const { run } = await this.#transport.ask('Run', variables, this.#atOnce(signal));
    return run as Answers<RunResult<DataOf<Schema>>>;
  }

  /**
   * The expected cost and time of an operation over these items with one model or several: tokens,
   * and the cost in both executions. Nothing is sent to a model. Throws RateLimited where too many
   * quotes are asked for at once.
   */
  quote(options: QuoteOptions): Promise<Quote> {
    return readQuote(this.#transport, this.files, options);
  }

  /** The models that options can name. */
  async models({ signal }: CallOptions = {}): Promise<readonly Model[]> {
    const { service } = await this.#transport.ask('Models', {}, { signal, again: true });
    return service.models.map(toModel);
  }

  /**
   * The spending in a month of UTC, such as 2026-11; without one in the present month. Throws
   * BadUserInput for anything else.
   */
  async spending(month?: string, { signal }: CallOptions = {}): Promise<Spending> {
    const { spending } = await this.#transport.ask('Spending', { month }, { signal, again: true });
    return toSpending(spending);
  }

  /**
   * Results of an uploaded file of batch output, parsed and held to a schema without a model.
   * Throws BadUserInput for a file of another format.
   */
  async *parseResults<const Schema extends AnswerSchema>(
    file: string | { readonly id: string } | { readonly fileId: string },
    { signal, responseSchema, status }: ParseOptions<Schema> = {},
  ): AsyncGenerator<ParsedResult<ParsedOutput<Schema>>, void> {
    const fileId = typeof file === 'string' ? file : 'id' in file ? file.id : file.fileId;
    const variables = { fileId, responseSchema, status: toStatuses(status) };
    const read = async (page: { first: number; after: string | null }) =>
      (
        await this.#transport.ask(
          'ParseResults',
          { ...variables, ...page },
          { signal, again: true },
        )
      ).parseResults;
    for await (const parsed of readPages(read)) yield toParsed(parsed);
  }

  /**
   * Any document. Throws a WinnowError where the answer has errors. Queries are sent again where
   * the connection is lost, mutations are not.
   */
  async graphql<Data = Record<string, unknown>>(
    document: string,
    variables: Readonly<Record<string, unknown>> = {},
    { signal }: CallOptions = {},
  ): Promise<Data> {
    const again = !/\bmutation\b/.test(document);
    return await this.#transport.query<Data>(document, variables, { signal, again });
  }

  /** The server takes up to a minute, and what was paid for is not asked for twice. */
  #atOnce(signal: AbortSignal | undefined) {
    return { signal, silenceMs: this.#transport.settings.operationTimeoutMs };
  }
}

/** Without a schema the text of an answer, or the arguments of its tool calls. */
type ParsedOutput<Schema extends AnswerSchema> = string extends keyof Schema
  ? unknown
  : DataOf<Schema>;
