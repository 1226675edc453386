// The front of two objectives.
import type { Goal } from '../answers.ts';
import type { Selection } from './selection.ts';

// Places of completed trials that no other one beats in both, by x.
export function frontOf({ points }: Selection, x: ArrayLike<number>, xGoal: Goal, goal: Goal): number[] {
  const signX = xGoal === 'minimize' ? 1 : -1, signY = goal === 'minimize' ? 1 : -1;
  const places = [...points.number.keys()].filter((i) => points.state[i] === 'c' && points.isApart[i] === 0 && Number.isFinite(x[i]!) && Number.isFinite(points.value[i]!));
  places.sort((a, b) => signX * (x[a]! - x[b]!) || signY * (points.value[a]! - points.value[b]!));
  const front: number[] = [];
  let best = Infinity;
  for (const i of places) {
    if (signY * points.value[i]! >= best) continue;
    best = signY * points.value[i]!;
    front.push(i);
  }
  return front;
}
