// Drop an image: boxes or classes with their confidence.
import { useEffect, useRef, useState } from 'preact/hooks';
import { secondsText } from '../numbers.ts';
import { Failed } from '../parts/notice.tsx';
import { Grid } from '../parts/grid.tsx';
import type { Target } from './endpoint.tsx';
import { failureIn, invoke, Probabilities, SideBySide, type Tried } from './sandbox.tsx';

interface Detection {
  class: string;
  score: number;
  box: [number, number, number, number];
}
interface ImageAnswer {
  width?: number;
  height?: number;
  detections?: Detection[];
  classes?: string[];
  probabilities?: number[];
  labels?: string[];
}

// The report's colours of classes.
const kTones = ['#56b4e9', '#e69f00', '#35c795', '#f0e442', '#ff7f50', '#e78ac3', '#b3a5ff', '#d0d0d0'];
const kTypes: Readonly<Record<string, string>> = { 'image/jpeg': 'image/jpeg', 'image/png': 'image/png' };
const kMostBytes = 32 << 20;

export function ImageSandbox({ targets }: { targets: readonly Target[] }) {
  const [file, setFile] = useState<File | null>(null);
  const [least, setLeast] = useState(0.5);
  const [hasBoxes, setBoxes] = useState(false);
  const [isOver, setOver] = useState(false);
  const [complaint, complain] = useState('');
  const take = (files: FileList | null | undefined) => {
    const first = files?.[0];
    if (first === undefined) return;
    if (first.size > kMostBytes) complain('That file has more than 32 MB.');
    else {
      complain('');
      setFile(first);
    }
  };
  useEffect(() => {
    const paste = (event: ClipboardEvent) => take(event.clipboardData?.files);
    document.addEventListener('paste', paste);
    return () => document.removeEventListener('paste', paste);
  }, []);
  return (
    <>
      <label
        class={isOver ? 'drop over' : 'drop'}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          take(event.dataTransfer?.files);
        }}
      >
        <input type="file" accept="image/*" class="unseen" onChange={(event) => take(event.currentTarget.files)} />
        <strong>{file === null ? 'Drop an image here, paste one, or choose a file' : file.name}</strong>
        <span class="note">
          {file === null ? 'It goes to the endpoint on this machine and nowhere else.' : 'Drop another one to go on.'}
        </span>
      </label>
      {complaint !== '' && (
        <p class="said bad" role="alert">
          {complaint}
        </p>
      )}
      {file !== null && (
        <>
          {hasBoxes && (
            <label class="range">
              Confidence of at least {least.toFixed(2)}
              <input
                type="range"
                min="0"
                max="1"
                step="0.01"
                value={least}
                onInput={(event) => setLeast(Number(event.currentTarget.value))}
              />
            </label>
          )}
          <SideBySide
            targets={targets}
            panel={(target) => (
              <Panel key={target.endpoint} target={target} file={file} least={least} onBoxes={setBoxes} />
            )}
          />
        </>
      )}
    </>
  );
}

function Panel({
  target,
  file,
  least,
  onBoxes,
}: {
  target: Target;
  file: File;
  least: number;
  onBoxes: (hasBoxes: boolean) => void;
}) {
  const [tried, setTried] = useState<Tried<ImageAnswer>>({ state: 'none' });
  useEffect(() => {
    const abort = new AbortController();
    setTried({ state: 'busy' });
    invoke<ImageAnswer>(target.endpoint, file, kTypes[file.type] ?? 'application/x-image', abort.signal).then(
      ({ answer, call }) => {
        setTried({ state: 'done', answer, call });
        onBoxes(answer.detections !== undefined);
      },
      (error: unknown) => {
        if (!abort.signal.aborted) setTried({ state: 'failed', failure: failureIn(error) });
      },
    );
    return () => abort.abort();
  }, [target.endpoint, file]);
  const detections =
    tried.state === 'done' ? tried.answer.detections?.filter(({ score }) => score >= least) : undefined;
  const classes = [
    ...new Set((tried.state === 'done' ? (tried.answer.detections ?? []) : []).map((one) => one.class)),
  ].sort();
  return (
    <>
      <Picture
        file={file}
        answer={tried.state === 'done' ? tried.answer : null}
        detections={detections ?? []}
        classes={classes}
      />
      <div role="status">
        {tried.state === 'busy' && <p class="loading">Asking {target.title}…</p>}
        {tried.state === 'failed' && <Failed failure={tried.failure} />}
        {tried.state === 'done' && (
          <p class="note">
            {tried.call.model} in {secondsText(tried.call.seconds)}
            {detections && ': ' + detections.length + ' of ' + (tried.answer.detections?.length ?? 0) + ' boxes'}
          </p>
        )}
      </div>
      {tried.state === 'done' && tried.answer.probabilities && (
        <Probabilities
          classes={tried.answer.classes ?? tried.answer.labels ?? []}
          probabilities={tried.answer.probabilities}
        />
      )}
      {detections && detections.length > 0 && (
        <Grid
          caption="Detections"
          isHidden
          data={{
            columns: [{ title: 'class' }, { title: 'confidence', isNumber: true }, { title: 'box', isNumber: true }],
            rows: detections.map((one) => [
              one.class,
              one.score.toFixed(3),
              one.box.map((edge) => Math.round(edge)).join(', '),
            ]),
          }}
        />
      )}
    </>
  );
}

function Picture({
  file,
  answer,
  detections,
  classes,
}: {
  file: File;
  answer: ImageAnswer | null;
  detections: readonly Detection[];
  classes: readonly string[];
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [image, setImage] = useState<ImageBitmap | null>(null);
  const [complaint, complain] = useState('');
  // As the camera held it, or as the file has it: whichever the endpoint has seen.
  const isTurned =
    image !== null &&
    answer?.width !== undefined &&
    answer.width !== answer.height &&
    answer.width === image.height &&
    answer.height === image.width;
  useEffect(() => {
    let hasEnded = false;
    createImageBitmap(file, isTurned ? { imageOrientation: 'none' } : {}).then(
      (made) => {
        if (!hasEnded) {
          setImage(made);
          complain('');
        }
      },
      () => {
        if (!hasEnded) {
          setImage(null);
          complain('This browser cannot show that file.');
        }
      },
    );
    return () => {
      hasEnded = true;
    };
  }, [file, isTurned]);
  useEffect(() => {
    const element = canvas.current;
    if (element === null || image === null) return;
    element.width = image.width;
    element.height = image.height;
    const context = element.getContext('2d')!,
      scale = Math.max(1, Math.max(image.width, image.height) / 640);
    context.drawImage(image, 0, 0);
    context.font = '600 ' + 13 * scale + 'px system-ui, sans-serif';
    context.textBaseline = 'top';
    for (const {
      class: name,
      score,
      box: [x1, y1, x2, y2],
    } of [...detections].reverse()) {
      const tone = kTones[classes.indexOf(name) % kTones.length]!;
      context.lineWidth = 4.5 * scale;
      context.strokeStyle = 'rgba(0, 0, 0, 0.55)';
      context.strokeRect(x1, y1, x2 - x1, y2 - y1);
      context.lineWidth = 2.25 * scale;
      context.strokeStyle = tone;
      context.strokeRect(x1, y1, x2 - x1, y2 - y1);
      const text = name + ' ' + score.toFixed(2),
        width = context.measureText(text).width + 8 * scale,
        height = 18 * scale;
      const top = y1 >= height ? y1 - height : y1,
        left = Math.max(0, Math.min(x1, image.width - width));
      context.fillStyle = tone;
      context.fillRect(left, top, width, height);
      context.fillStyle = '#000';
      context.fillText(text, left + 4 * scale, top + 3 * scale);
    }
  }, [image, detections]);
  const said = detections.map(({ class: name, score }) => name + ' ' + score.toFixed(2)).join(', ');
  return (
    <>
      {complaint !== '' && <p class="note">{complaint}</p>}
      {image !== null && (
        <canvas ref={canvas} class="picture" role="img" aria-label={file.name + (said ? ': ' + said : '')} />
      )}
    </>
  );
}
