/** The room of a gate, while it is divided among the batches whose model it is for. */
import type { Room } from './fair-order.ts';

export interface GateRoom extends Room {
  room: number;
  marked: number;
  /** Marked items of the batches that more is marked of, sooner or later. */
  unsent: number;
}

export function newRoom(room: number): GateRoom {
  return { room, marked: 0, unsent: 0, left: room };
}

/** Items that are marked and have no room. */
export function countStuck({ unsent, room }: GateRoom): number {
  return Math.max(0, unsent - room);
}

/** More can be sent than is marked. */
export function isShort({ marked, room }: GateRoom): boolean {
  return marked < room;
}
