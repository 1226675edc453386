// Draws its content when it comes near the window: what nobody scrolls to costs nothing.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';

export function Later({ height, children }: { height: number; children: ComponentChildren }) {
  const place = useRef<HTMLDivElement>(null);
  const [isNear, setNear] = useState(false);
  useEffect(() => {
    const watcher = new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      setNear(true);
      watcher.disconnect();
    }, { rootMargin: '400px' });
    watcher.observe(place.current!);
    return () => watcher.disconnect();
  }, []);
  return <div ref={place} style={isNear ? undefined : { minHeight: height + 'px' }}>{isNear && children}</div>;
}
