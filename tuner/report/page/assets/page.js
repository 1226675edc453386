// Draws the charts of the page from the JSON beside it. Nothing is computed here that a reader could take for a result.
(function () {
  'use strict';

  const charts = [];
  const dark = window.matchMedia('(prefers-color-scheme: dark)');

  function color(name) {
    return getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
  }

  function faded(hex, alpha) {
    return hex + Math.round(alpha * 255).toString(16).padStart(2, '0');
  }

  function numberText(value) {
    if (value === 0) return '0';
    const size = Math.abs(value);
    const rounded = Number(value.toPrecision(6));
    return size < 1e-3 || size >= 1e6 ? rounded.toExponential().replace('e+', 'e') : String(rounded);
  }

  function dollarText(value) {
    if (value === 0) return '$0';
    return '$' + (value < 0.0995 ? Number(value.toPrecision(2)) : value.toFixed(2));
  }

  // On a logarithmic axis: every power of ten, and 2 and 5 between them where there are few.
  function isLogTick(value, decades) {
    const mantissa = Math.round(value / Math.pow(10, Math.floor(Math.log10(value) + 1e-9)));
    return mantissa === 1 || (decades < 3 && (mantissa === 2 || mantissa === 5));
  }

  // Where a value stands on its axis: a reverse_log axis is a logarithmic one of 1 - x, turned round.
  function place(axis, value) {
    return axis.scale === 'reverse_log' ? 1 - value : value;
  }

  function scaleOf(axis) {
    const isLog = axis.scale === 'log' || axis.scale === 'reverse_log';
    const isTurned = axis.scale === 'reverse_log';
    const scale = {
      type: isLog ? 'logarithmic' : 'linear',
      reverse: isTurned,
      title: { display: axis.title !== '', text: axis.title, color: color('muted') },
      border: { display: false },
      grid: { color: color('line'), tickColor: color('line'), borderColor: color('muted') },
      ticks: { color: color('muted'), maxRotation: 0, autoSkipPadding: 12 },
    };
    if (axis.min !== undefined && axis.max !== undefined) {
      scale.min = Math.min(place(axis, axis.min), place(axis, axis.max));
      scale.max = Math.max(place(axis, axis.min), place(axis, axis.max));
    }
    if (axis.scale === 'categories') {
      scale.min = -0.5;
      scale.max = axis.labels.length - 0.5;
      scale.grid.display = false;
      scale.afterBuildTicks = (built) => { built.ticks = axis.labels.map((_, i) => ({ value: i })); };
      scale.ticks.callback = (value) => shortened(axis.labels[value]);
    } else if (isLog) {
      scale.ticks.callback = function (value) {
        const decades = Math.log10(this.max / this.min);
        return isLogTick(value, decades) ? numberText(place(axis, value)) : null;
      };
    } else {
      if (axis.step !== undefined) scale.ticks.stepSize = axis.step;
      scale.ticks.callback = (value) =>
        axis.usd_per_unit === undefined ? numberText(value)
          : [numberText(value), dollarText(value * axis.usd_per_unit)];
    }
    return scale;
  }

  function shortened(text) {
    return text.length > 14 ? text.slice(0, 13) + '…' : text;
  }

  const isCurve = { curve: true, 'stopped-curve': true, 'best-curve': true };

  function styleOf(series, crowd) {
    const last = series.x.length - 1;
    const tone = {
      row: 'best', run: 'completed', completed: 'completed', stopped: 'stopped', best: 'best', 'best-so-far': 'reference', front: 'reference',
      curve: 'completed', 'stopped-curve': 'stopped', 'best-curve': 'best',
    }[series.role];
    const ink = color(tone);
    // The more there are, the fainter each: what many share shows.
    const alpha = Math.max(0.12, Math.min(0.85, 14 / crowd));
    switch (series.role) {
      case 'row':
        return { backgroundColor: ink, borderColor: color('ground'), borderWidth: 1.5, pointRadius: 6 };
      case 'run':
        return { backgroundColor: 'transparent', borderColor: ink, borderWidth: 1.5, pointRadius: 3 };
      case 'completed':
        return { backgroundColor: faded(ink, 0.75), borderWidth: 0, pointRadius: crowd > 200 ? 2.5 : 4 };
      case 'stopped':
        return { backgroundColor: 'transparent', borderColor: ink, borderWidth: 1.5, pointStyle: 'rectRot', pointRadius: crowd > 200 ? 3 : 4.5 };
      case 'best':
        return { backgroundColor: ink, borderColor: color('ground'), borderWidth: 1.5, pointRadius: 7 };
      case 'best-so-far':
        return { showLine: true, stepped: 'before', borderColor: ink, borderWidth: 1.75, pointRadius: 0 };
      case 'front':
        return { showLine: true, stepped: 'before', borderColor: ink, borderWidth: 1.75, pointRadius: 3, backgroundColor: ink };
      case 'curve':
        return { showLine: true, borderColor: faded(ink, alpha), borderWidth: 1.25, pointRadius: last === 0 ? 2.5 : 0, backgroundColor: ink };
      case 'stopped-curve':
        return {
          showLine: true, borderColor: faded(ink, alpha), borderWidth: 1.25, borderDash: [5, 3], pointStyle: 'rectRot',
          pointRadius: (context) => (context.dataIndex === last ? 3.5 : 0), backgroundColor: color('ground'),
        };
      default:
        return { showLine: true, borderColor: ink, borderWidth: 3, pointRadius: last === 0 ? 4 : 0, backgroundColor: ink };
    }
  }

  function pointsOf(chart, series) {
    return series.x.map((x, i) => {
      const name = series.names === undefined ? undefined : series.names[i];
      const trial = series.trials.length === 1 ? series.trials[0] : series.trials[i];
      let at = place(chart.x, x);
      // Categories are strips: points of one category stand beside each other, always in the same way.
      if (chart.x.scale === 'categories') at += (((trial * 0.618034) % 1) - 0.5) * 0.5;
      return { x: at, y: series.y[i] === null ? NaN : series.y[i], trial: trial, name: name, given: x };
    });
  }

  function describe(chart, item) {
    const point = item.raw;
    const where = chart.x.scale === 'categories' ? chart.x.labels[point.given] : numberText(point.given);
    const dollars = chart.x.usd_per_unit === undefined ? '' : ' (' + dollarText(point.given * chart.x.usd_per_unit) + ')';
    return [chart.y.title + ': ' + numberText(point.y), chart.x.title + ': ' + where + dollars];
  }

  // Writes the names of rows beside their points, each where it covers no other name, point or line, if it can.
  const names = {
    id: 'names',
    afterDatasetsDraw(drawn) {
      if (!drawn.data.datasets.some((set) => set.named)) return;
      const context = drawn.ctx, area = drawn.chartArea, taken = [], labels = [], lines = [];
      drawn.data.datasets.forEach((set, index) => {
        drawn.getDatasetMeta(index).data.forEach((point, i) => {
          if (!Number.isFinite(point.y)) return;
          const next = drawn.getDatasetMeta(index).data[i + 1];
          if (set.stepped && next !== undefined)
            lines.push({ left: point.x, right: next.x, top: point.y - 2, bottom: point.y + 2 },
              { left: next.x - 2, right: next.x + 2, top: Math.min(point.y, next.y), bottom: Math.max(point.y, next.y) });
          else if (!set.named && !set.stepped)
            lines.push({ left: point.x - 4, right: point.x + 4, top: point.y - 4, bottom: point.y + 4 });
          if (!set.named) return;
          taken.push({ left: point.x - 7, right: point.x + 7, top: point.y - 7, bottom: point.y + 7 });
          labels.push({ x: point.x, y: point.y, text: set.data[i].name });
        });
      });
      context.save();
      context.font = '12px ' + Chart.defaults.font.family;
      context.fillStyle = color('text');
      context.strokeStyle = color('ground');
      context.lineWidth = 4;
      context.lineJoin = 'round';
      context.textBaseline = 'middle';
      for (const label of labels) {
        const text = label.text.length > 40 ? label.text.slice(0, 39) + '…' : label.text;
        const width = context.measureText(text).width;
        const places = [[10, 0], [-10 - width, 0]];
        for (const rise of [-16, 16, -31, 31, -46, 46, -61, 61])
          places.push([-width / 2, rise], [10, rise], [-10 - width, rise]);
        const boxes = places.map(([dx, dy]) => ({
          left: label.x + dx, right: label.x + dx + width, top: label.y + dy - 7, bottom: label.y + dy + 7,
        })).filter((box) => box.left >= area.left && box.right <= drawn.width && box.top >= 0 && box.bottom <= area.bottom);
        const isFree = (box, others) => !others.some((other) =>
          box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom);
        const free = boxes.find((box) => isFree(box, taken) && isFree(box, lines)) || boxes.find((box) => isFree(box, taken));
        if (free === undefined) continue;  // the tooltip and the table have it
        taken.push(free);
        // On the ground's colour, so that lines do not run through it.
        context.strokeText(text, free.left, (free.top + free.bottom) / 2);
        context.fillText(text, free.left, (free.top + free.bottom) / 2);
      }
      context.restore();
    },
  };

  function configuration(chart) {
    const curves = chart.series.filter((series) => isCurve[series.role]).length;
    const crowd = Math.max(curves, ...chart.series.map((series) => (isCurve[series.role] ? 0 : series.x.length)));
    return {
      type: 'scatter',
      plugins: [names],
      data: {
        datasets: chart.series.map((series, i) => Object.assign({
          label: series.label, named: series.role === 'row', data: pointsOf(chart, series), order: chart.series.length - i, clip: 8,
          pointHitRadius: 6, hoverRadius: 6, tension: 0,
        }, styleOf(series, crowd))),
      },
      options: {
        animation: false, parsing: false, responsive: true, maintainAspectRatio: false,
        layout: { padding: { top: 8, right: 10 } },
        interaction: { mode: 'nearest', intersect: true },
        scales: { x: scaleOf(chart.x), y: scaleOf(chart.y) },
        plugins: {
          legend: { display: false },
          tooltip: {
            displayColors: false, filter: (item, index) => index < 3,
            callbacks: {
              title: () => '',
              label: (item) => [item.raw.name === undefined ? 'Trial ' + item.raw.trial : item.raw.name, ...describe(chart, item)],
            },
          },
        },
      },
    };
  }

  function draw() {
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    Chart.defaults.font.size = 12;
    while (charts.length > 0) charts.pop().destroy();
    for (const chart of JSON.parse(document.getElementById('chart-data').textContent))
      charts.push(new Chart(document.getElementById(chart.id), configuration(chart)));
    document.documentElement.dataset.charts = String(charts.length);
  }

  draw();
  dark.addEventListener('change', draw);
  // Paper is white, and as wide as it is.
  window.addEventListener('beforeprint', () => {
    document.documentElement.dataset.theme = 'light';
    draw();
    for (const chart of charts) chart.resize(chart.canvas.parentNode.clientWidth > 400 ? 680 : 330, 250);
  });
  window.addEventListener('afterprint', () => {
    delete document.documentElement.dataset.theme;
    draw();
  });
})();
