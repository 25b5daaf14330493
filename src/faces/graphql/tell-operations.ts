/** Tells how long operations take, and which subscriptions are open. */
import {
  type DocumentNode,
  type ExecutionArgs,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Asking } from '../../core/log.ts';
import type { Telling } from '../../telemetry/events.ts';

/** An operation before it is run. */
interface Begun {
  operation: OperationDefinitionNode;
  at: number;
}

export function tellOperations(events: Telling): Plugin {
  return {
    onExecute({ args }) {
      const begun = begin(args);
      if (!begun || !events.has('graphql.operation')) return;
      return {
        onExecuteDone({ result }) {
          tell(events, begun, 'errors' in result && (result.errors?.length ?? 0) > 0, args);
        },
      };
    },
    onSubscribe({ args }) {
      const begun = begin(args);
      if (!begun || !events.has('graphql.operation')) return;
      return {
        onSubscribeResult({ result }) {
          const isOpen = Symbol.asyncIterator in result;
          tell(events, begun, !isOpen, args);
          if (!isOpen) return;
          const { socket } = args.contextValue as { socket?: unknown };
          const watched = {
            field: fieldOf(begun.operation),
            transport: socket ? 'ws' : 'sse',
          } as const;
          events.emit('subscription.changed', { ...watched, opened: true });
          let isOver = false;
          return {
            onEnd() {
              if (isOver) return;
              isOver = true;
              events.emit('subscription.changed', { ...watched, opened: false });
            },
          };
        },
      };
    },
  };
}

function begin({ document, operationName }: ExecutionArgs): Begun | null {
  const operation = getOperationAST(document as DocumentNode, operationName);
  return operation ? { operation, at: performance.now() } : null;
}

function tell(
  events: Telling,
  { operation, at }: Begun,
  failed: boolean,
  { contextValue }: ExecutionArgs,
): void {
  const { socket, asking } = contextValue as { socket?: unknown; asking: Asking };
  events.emit('graphql.operation', {
    type: operation.operation,
    name: operation.name?.value.slice(0, 100) ?? '',
    outcome: failed ? 'error' : 'ok',
    seconds: (performance.now() - at) / 1_000,
    socket: socket ? asking : null,
  });
}

/** The root field: a subscription that is valid has one. */
function fieldOf({ selectionSet }: OperationDefinitionNode): string {
  const field = selectionSet.selections.find(({ kind }) => kind === Kind.FIELD);
  return field?.kind === Kind.FIELD ? field.name.value : '';
}
