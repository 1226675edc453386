// Words for states, the same as in the report and in the terminal. The words of the consoles beside them come from the server.

export const kTrialStates = ['running', 'queued', 'paused', 'completed', 'stopped', 'failed'] as const;
export type TrialState = (typeof kTrialStates)[number];

// What a state is drawn like: a tone of the style sheet and a mark, so that colour is never all that tells.
export function toneOf(state: string): string {
  switch (state) {
    case 'completed': case 'finished': case 'deployed': case 'approved': case 'moved': return 'good';
    case 'running': case 'training': case 'deploying': case 'starting': return 'busy';
    case 'failed': case 'training failed': case 'rejected': case 'refused': case 'lost': return 'bad';
    case 'paused': case 'stopping': case 'interrupted': case 'held': case 'pending': case 'restarting': return 'held';
    default: return 'quiet';
  }
}
export function markOf(state: string): string {
  switch (toneOf(state)) {
    case 'good': return '●';
    case 'busy': return '◐';
    case 'bad': return '✕';
    case 'held': return '◌';
    default: return '○';
  }
}

// "trial_finished" as "trial finished".
export function kindText(kind: string): string {
  return kind.replace(/_/g, ' ');
}

const kSigns: Readonly<Record<string, string>> = { maximize: 'higher is better', minimize: 'lower is better' };
export function goalText(goal: string): string {
  return kSigns[goal] ?? goal;
}
