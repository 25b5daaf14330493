/**
 * The chart, rendered by text/template and sprig as Helm does it, for three sets of values: each
 * document by the types of Kubernetes, its keys, and what one document says of another.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { Ingress } from 'kubernetes-models/networking.k8s.io/v1/Ingress';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { Service } from 'kubernetes-models/v1/Service';
import { parse, parseAllDocuments } from 'yaml';
import { variableNames } from '../../src/config.ts';
import { type Check, root, tryRun } from './checks.ts';

const chart = join(root, 'deploy/helm/winnow');
const readYaml = (name: string) => parse(readFileSync(join(chart, name), 'utf8')) as Values;

type Values = Record<string, unknown>;
type Json = Record<string, unknown>;

/** A document, as far as it is looked at here. */
interface Document {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels: Record<string, string> };
  spec: any;
}

/** Least, everything, and what a cluster with scaling and a role for migrations has. */
const sets: Readonly<Record<string, Values>> = {
  least: { secretName: 'winnow' },
  scaled: {
    secretName: 'winnow',
    migrationSecretName: 'winnow-owner',
    settings: { LOG_LEVEL: 'debug', DEFAULT_MODEL: 'sandbox/rules' },
    api: { autoscaling: { enabled: true } },
    worker: { keda: { enabled: true }, concurrency: 1_000_000 / 200 },
    networkPolicy: { enabled: false },
  },
  everything: {
    secretName: 'winnow',
    publicUrl: 'https://winnow.example.org',
    trustedProxies: '10.0.0.0/8',
    imagePullSecrets: [{ name: 'registry' }],
    ingress: { enabled: true, tlsSecretName: 'tls', annotations: { 'example.org/a': 'b' } },
    serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
    prometheusRule: { enabled: true, labels: { release: 'prometheus' } },
    nodeSelector: { 'kubernetes.io/arch': 'amd64' },
    tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoSchedule' }],
  },
};

const models = {
  Deployment,
  HorizontalPodAutoscaler,
  Job,
  Ingress,
  NetworkPolicy,
  PodDisruptionBudget,
  Service,
} as const;
/** Of operators: no types are here, so their keys are. */
const keysOfOperators: Readonly<Record<string, readonly string[]>> = {
  ScaledObject: [
    'scaleTargetRef',
    'minReplicaCount',
    'maxReplicaCount',
    'cooldownPeriod',
    'triggers',
  ],
  ServiceMonitor: ['jobLabel', 'selector', 'endpoints'],
  PrometheusRule: ['groups'],
};

export const helm: Check = {
  name: 'the chart renders, and its documents are those that Kubernetes and Winnow know',
  needs: {
    go: 'golang-go',
    '/usr/share/gocode/src/github.com/Masterminds/sprig': 'golang-github-masterminds-sprig-dev',
  },
  async run() {
    const counts: string[] = [];
    for (const [name, values] of Object.entries(sets)) {
      const documents = await render(values);
      for (const document of documents) validate(document);
      for (const document of documents) compare(document, documents);
      counts.push(`${documents.length} for ${name}`);
    }
    await refuse();
    return `documents: ${counts.join(', ')}`;
  },
};

/** Objects are merged, as Helm merges values. */
function merge(base: Values, over: Values): Values {
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const old = merged[key];
    const isObject = isPlain(old) && isPlain(value);
    merged[key] = isObject ? merge(old, value) : value;
  }
  return merged;
}

function isPlain(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function matchesSchema(values: Values): boolean {
  const schema = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')) as object;
  return new Ajv({ strict: false }).compile(schema)(values);
}

async function tryRender(values: Values) {
  const { name, version, appVersion } = readYaml('Chart.yaml');
  return await tryRun('go', ['run', join(root, 'test/deploy/render.go'), chart], {
    env: { ...process.env, GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOFLAGS: '' },
    input: JSON.stringify({
      Values: merge(readYaml('values.yaml'), values),
      Release: { Name: 'test', Service: 'Helm' },
      Chart: { Name: name, Version: version, AppVersion: appVersion },
    }),
  });
}

async function render(values: Values): Promise<Document[]> {
  if (!matchesSchema(merge(readYaml('values.yaml'), values)))
    throw new Error('the schema of values must let these through');
  const { code, text } = await tryRender(values);
  if (code !== 0) throw new Error(text);
  const rendered = JSON.parse(text) as Record<string, string>;
  return Object.entries(rendered)
    .filter(([name]) => name.endsWith('.yaml'))
    .flatMap(([name, source]) =>
      parseAllDocuments(source).flatMap((document) => {
        const [problem] = document.errors;
        if (problem) throw new Error(`${name}: ${problem.message}\n${source}`);
        const read = document.toJS() as Document | null;
        return read === null ? [] : [read];
      }),
    );
}

/** What a values file may not have, and that a Secret must be named. */
async function refuse(): Promise<void> {
  const base = readYaml('values.yaml');
  for (const wrong of [{ replicas: 3 }, { api: { replica: 3 } }, { shutdownDelayMs: 40_000 }]) {
    if (matchesSchema(merge(base, { secretName: 'x', ...wrong })))
      throw new Error(`the schema of values must refuse ${JSON.stringify(wrong)}`);
  }
  if (matchesSchema(base)) throw new Error('secretName must be demanded by the schema');
  const { code, text } = await tryRender({});
  if (code === 0 || !text.includes('secretName must be set'))
    throw new Error(`without secretName the templates must say so: ${text}`);
}

/** Types by Kubernetes' own; keys by what their validation looks at. */
function validate(document: Document): void {
  const { kind, spec } = document;
  const own = keysOfOperators[kind];
  if (own) {
    const strange = Object.keys(spec as Json).filter((key) => !own.includes(key));
    if (strange.length > 0) throw new Error(`${kind} has unknown keys: ${strange.join(', ')}`);
    return;
  }
  const Model = models[kind as keyof typeof models];
  if (!Model) throw new Error(`${kind} must be a kind that is known here`);
  if (Model.apiVersion !== document.apiVersion)
    throw new Error(`${kind} must be of ${Model.apiVersion}`);
  const unread = new Set<string>();
  // Its constructor would copy, and so read, all keys.
  Model.prototype.validate.call(watch(document, kind, unread) as never);
  if (unread.size > 0) throw new Error(`unknown keys: ${[...unread].join(', ')}`);
}

/** The value, whose keys leave `unread` once they are read: what nobody reads is not known. */
function watch<Value>(value: Value, path: string, unread: Set<string>): Value {
  if (typeof value !== 'object' || value === null) return value;
  const copy: any = Array.isArray(value) ? [] : {};
  for (const [key, inner] of Object.entries(value)) {
    const name = `${path}.${key}`;
    const watched = watch(inner, name, unread);
    unread.add(name);
    Object.defineProperty(copy, key, {
      enumerable: true,
      get() {
        unread.delete(name);
        return watched;
      },
    });
  }
  return copy as Value;
}

/** What a document says of others, and of the program. */
function compare(document: Document, all: readonly Document[]): void {
  const { kind, spec, metadata } = document;
  const named = (of: string, name: string) =>
    all.find((one) => one.kind === of && one.metadata.name === name) ??
    fail(`${kind} ${metadata.name} names ${of} ${name}, which must exist`);
  const chosen = (labels: Record<string, string>) =>
    all.filter(
      (one) =>
        one.kind === 'Deployment' && isWithin(labels, one.spec.template.metadata.labels as Labels),
    );
  switch (kind) {
    case 'Deployment':
      if (!isWithin(spec.selector.matchLabels, spec.template.metadata.labels))
        fail(`${metadata.name}: its selector must choose its pods`);
      comparePod(document, spec.template.spec);
      return;
    case 'Job':
      comparePod(document, spec.template.spec);
      return;
    case 'Service':
      for (const { targetPort } of spec.ports)
        for (const pods of oneAtLeast(document, chosen(spec.selector)))
          portNamed(pods, targetPort as string);
      return;
    case 'PodDisruptionBudget':
      oneAtLeast(document, chosen(spec.selector.matchLabels));
      return;
    case 'NetworkPolicy':
      for (const pods of oneAtLeast(document, chosen(spec.podSelector.matchLabels)))
        portNamed(pods, 'metrics');
      return;
    case 'HorizontalPodAutoscaler':
    case 'ScaledObject':
      if (named('Deployment', spec.scaleTargetRef.name).spec.replicas !== undefined)
        fail(`${metadata.name}: what is scaled must not have replicas`);
      return;
    case 'Ingress': {
      const { name, port } = spec.rules[0].http.paths[0].backend.service;
      const { ports } = named('Service', name).spec;
      if (!ports.some((one: Json) => one.name === port.name))
        fail(`${name} must have ${port.name}`);
      return;
    }
    case 'ServiceMonitor':
      if (!all.some((one) => isService(one, spec.selector.matchLabels, spec.endpoints[0].port)))
        fail('ServiceMonitor must choose a Service with its port');
  }
}

type Labels = Record<string, string>;

function isService({ kind, metadata, spec }: Document, labels: Labels, port: string): boolean {
  return (
    kind === 'Service' &&
    isWithin(labels, metadata.labels) &&
    spec.ports.some((one: Json) => one.name === port)
  );
}

function isWithin(some: Labels, all: Labels): boolean {
  return Object.entries(some).every(([name, value]) => all[name] === value);
}

function oneAtLeast({ kind, metadata }: Document, found: readonly Document[]) {
  if (found.length === 0) fail(`${kind} ${metadata.name} must choose pods`);
  return found;
}

function portNamed({ metadata, spec }: Document, name: string): void {
  const { ports } = spec.template.spec.containers[0];
  if (!ports.some((one: Json) => one.name === name)) fail(`${metadata.name} must have ${name}`);
}

/** Rights, ports, probes and variables of a pod. */
function comparePod({ metadata }: Document, pod: any): void {
  const [container] = pod.containers;
  const { name } = metadata;
  const { securityContext: rights, env, ports = [] } = container;
  if (!rights.readOnlyRootFilesystem || rights.allowPrivilegeEscalation || rights.privileged)
    fail(`${name}: its root must be read-only, and it must have no privilege`);
  if (!pod.securityContext.runAsNonRoot) fail(`${name} must not run as root`);
  if (pod.terminationGracePeriodSeconds !== 60) fail(`${name} must have 60 s to end`);
  const value = (variable: string) =>
    env.find((one: Json) => one.name === variable)?.value as string | undefined;
  for (const { name: variable } of env)
    if (!variableNames.includes(variable as string)) fail(`${name}: ${variable} is not a variable`);
  if (env.some((one: Json) => /KEY|SECRET|TOKEN|DATABASE_URL/.test(one.name as string)))
    fail(`${name}: secrets must come by reference`);
  const portOf = (port: string) => ports.find((one: Json) => one.name === port)?.containerPort;
  if (ports.length > 0 && String(portOf('metrics')) !== value('METRICS_PORT'))
    fail(`${name}: the port of metrics must be METRICS_PORT`);
  if (portOf('http') !== undefined && String(portOf('http')) !== value('PORT'))
    fail(`${name}: the port of http must be PORT`);
  for (const [probe, path] of [
    ['startupProbe', '/healthz'],
    ['livenessProbe', '/healthz'],
    ['readinessProbe', '/readyz'],
  ] as const) {
    const { httpGet } = ports.length > 0 ? container[probe] : { httpGet: { path } };
    if (httpGet.path !== path) fail(`${name}: ${probe} must ask ${path}`);
    if (ports.length > 0 && httpGet.port !== 'metrics') fail(`${name}: ${probe} must ask metrics`);
  }
}

function fail(message: string): never {
  throw new Error(message);
}
