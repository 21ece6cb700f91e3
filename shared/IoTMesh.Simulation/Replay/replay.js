"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = id => document.getElementById(id);
  const endMs = data.endMs;
  const types = ["data", "beacon", "ack", "probe", "probe reply", "request", "flood", "ack, mailbox", "poll", "busy"];
  const colorOfType = ["data", "beacon", "ack", "probe", "probe", "request", "flood", "ack", "other"];
  const speeds = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 100];

  // Flat arrays of "tenths of a millisecond since the one before, values ...": times in ms and the values in columns.
  function unpack(flat, width) {
    const count = flat.length / (width + 1);
    const at = new Float64Array(count);
    const columns = Array.from({ length: width }, () => new Float64Array(count));
    let time = 0;
    for (let i = 0, from = 0; i < count; i++) {
      time += flat[from++];
      at[i] = time / 10;
      for (let c = 0; c < width; c++) columns[c][i] = flat[from++];
    }
    return { at, columns, count };
  }

  const frames = unpack(data.frames, 5);
  const routes = unpack(data.routes, 2);
  const states = unpack(data.states, 2);
  const links = unpack(data.links, 3);
  const moves = unpack(data.moves, 3);
  const readings = unpack(data.readings, 3);
  const gateways = new Set(data.gateways);

  // Deliveries in the order of their own times.
  const deliveries = { at: [], from: [] };
  {
    const order = [];
    for (let i = 0; i < readings.count; i++) {
      if (readings.columns[2][i] >= 0) order.push([readings.at[i] + readings.columns[2][i] / 10, readings.columns[0][i]]);
    }
    order.sort((a, b) => a[0] - b[0]);
    for (const [at, from] of order) { deliveries.at.push(at); deliveries.from.push(from); }
  }

  // Readings that never arrive count as lost from the time they were made.
  const n = data.nodes;
  const now = { ms: 0, state: null, next: null, links: null, x: null, y: null, made: null, done: null, lost: null, sent: null, cursor: null };

  function reset() {
    now.ms = -1;
    now.state = new Int8Array(n + 1);
    now.next = new Int32Array(n + 1);
    now.links = new Map();
    now.x = new Float64Array(n + 1);
    now.y = new Float64Array(n + 1);
    data.positions.forEach(([x, y], i) => { now.x[i + 1] = x; now.y[i + 1] = y; });
    now.made = new Int32Array(n + 1);
    now.done = new Int32Array(n + 1);
    now.lost = new Int32Array(n + 1);
    now.sent = new Int32Array(n + 1);
    now.cursor = { states: 0, routes: 0, links: 0, moves: 0, readings: 0, deliveries: 0, frames: 0 };
  }

  function advance(list, name, ms, apply) {
    let i = now.cursor[name];
    while (i < list.at.length && list.at[i] <= ms) apply(i++);
    now.cursor[name] = i;
  }

  function moveTo(ms) {
    if (ms < now.ms) reset();
    now.ms = ms;
    advance(states, "states", ms, i => { now.state[states.columns[0][i]] = states.columns[1][i]; });
    advance(routes, "routes", ms, i => { now.next[routes.columns[0][i]] = routes.columns[1][i]; });
    advance(moves, "moves", ms, i => {
      now.x[moves.columns[0][i]] = moves.columns[1][i];
      now.y[moves.columns[0][i]] = moves.columns[2][i];
    });
    advance(links, "links", ms, i => {
      const [a, b, percent] = links.columns.map(column => column[i]);
      const key = a * 65536 + b;
      if (percent === 0) now.links.delete(key); else now.links.set(key, percent);
    });
    advance(readings, "readings", ms, i => {
      now.made[readings.columns[0][i]]++;
      if (readings.columns[2][i] < 0) now.lost[readings.columns[0][i]]++;
    });
    advance(deliveries, "deliveries", ms, i => { now.done[deliveries.from[i]]++; });
    advance(frames, "frames", ms, i => { now.sent[frames.columns[0][i]]++; });
  }

  // ---- drawing

  const map = byId("map");
  const strip = byId("strip");
  let color = {};
  let selected = 0;
  let playing = false;
  let speed = 1;
  let bounds = null;

  function readColors() {
    const style = getComputedStyle(document.documentElement);
    color = {};
    for (const name of ["card", "line", "ink", "soft", "accent", "node", "node-ink", "gate", "warn", "warn-fill", "bad", "good",
      "q1", "q2", "q3", "q4", "off", "off-fill", "route", "data", "beacon", "ack", "probe", "request", "flood", "other"]) {
      color[name] = style.getPropertyValue("--" + name).trim();
    }
  }

  function fit(canvas) {
    const ratio = window.devicePixelRatio || 1;
    const box = canvas.getBoundingClientRect();
    const width = Math.max(1, Math.round(box.width * ratio));
    const height = Math.max(1, Math.round(box.height * ratio));
    if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, box.width, box.height);
    return { context, width: box.width, height: box.height };
  }

  function findBounds() {
    let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
    const take = (x, y) => { x0 = Math.min(x0, x); y0 = Math.min(y0, y); x1 = Math.max(x1, x); y1 = Math.max(y1, y); };
    data.positions.forEach(([x, y]) => take(x, y));
    for (let i = 0; i < moves.count; i++) take(moves.columns[1][i], moves.columns[2][i]);
    bounds = { x0, y0, w: Math.max(1e-6, x1 - x0), h: Math.max(1e-6, y1 - y0) };
  }

  let place = null;
  function placing(width, height) {
    const margin = 34;
    const scale = Math.min((width - 2 * margin) / bounds.w, (height - 2 * margin) / bounds.h);
    const left = (width - bounds.w * scale) / 2;
    const top = (height - bounds.h * scale) / 2;
    place = node => [left + (now.x[node] - bounds.x0) * scale, top + (now.y[node] - bounds.y0) * scale];
  }

  const radius = () => Math.max(4, Math.min(15, 90 / Math.sqrt(n)));

  function quality(percent) { return percent >= 90 ? "q1" : percent >= 70 ? "q2" : percent >= 40 ? "q3" : "q4"; }

  function drawLinks(context) {
    context.lineWidth = 1;
    for (const [key, percent] of now.links) {
      const a = Math.floor(key / 65536), b = key % 65536;
      if (!now.state[a] || !now.state[b]) continue;
      context.strokeStyle = color[quality(percent)];
      context.globalAlpha = selected === a || selected === b ? 0.9 : 0.3;
      context.setLineDash(percent >= 70 ? [] : [4, 4]);
      line(context, place(a), place(b));
    }
    context.globalAlpha = 1;
    context.setLineDash([]);
  }

  function line(context, [ax, ay], [bx, by]) {
    context.beginPath();
    context.moveTo(ax, ay);
    context.lineTo(bx, by);
    context.stroke();
  }

  function pathOf(node) {
    const path = [node];
    while (now.next[node] && path.length <= n) {
      node = now.next[node];
      if (path.includes(node)) { path.push(node); return path; }
      path.push(node);
    }
    return path;
  }

  function drawRoutes(context) {
    const path = selected ? pathOf(selected) : [];
    for (let node = 1; node <= n; node++) {
      const next = now.next[node];
      if (!next || !now.state[node]) continue;
      const [ax, ay] = place(node), [bx, by] = place(next);
      const at = path.indexOf(node);
      const onPath = at >= 0 && path[at + 1] === next;
      context.strokeStyle = context.fillStyle = now.state[next] ? color.route : color.bad;
      context.lineWidth = onPath ? 4 : 2;
      const length = Math.hypot(bx - ax, by - ay) || 1;
      const [ux, uy] = [(bx - ax) / length, (by - ay) / length];
      const stop = length - radius() - 3;
      line(context, [ax, ay], [ax + ux * stop, ay + uy * stop]);
      const [tx, ty] = [ax + ux * stop, ay + uy * stop];
      context.beginPath();
      context.moveTo(tx + ux * 3, ty + uy * 3);
      context.lineTo(tx - ux * 6 - uy * 4, ty - uy * 6 + ux * 4);
      context.lineTo(tx - ux * 6 + uy * 4, ty - uy * 6 - ux * 4);
      context.fill();
    }
  }

  // Gateways on top of the others, the chosen node on top of all.
  function drawNodes(context) {
    const all = Array.from({ length: n }, (_, i) => i + 1);
    const order = [...all.filter(node => !gateways.has(node)), ...all.filter(node => gateways.has(node)), selected].filter(node => node);
    const r = radius();
    context.font = `600 ${Math.max(8, Math.round(r * 0.85))}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const node of order) {
      const [x, y] = place(node);
      const up = now.state[node] > 0;
      const serves = now.state[node] === 2;
      const routed = serves || node === data.root || now.next[node];
      context.beginPath();
      if (gateways.has(node)) context.roundRect(x - r, y - r, 2 * r, 2 * r, 4); else context.arc(x, y, r, 0, 7);
      context.fillStyle = !up ? color["off-fill"] : serves ? color.gate : routed ? color.node : color["warn-fill"];
      context.fill();
      context.lineWidth = node === selected ? 3 : 1.5;
      context.strokeStyle = node === selected ? color.ink : !up ? color.off : routed ? color.card : color.warn;
      context.stroke();
      if (!up) {
        context.strokeStyle = color.bad;
        context.lineWidth = 2;
        line(context, [x - r * 0.7, y - r * 0.7], [x + r * 0.7, y + r * 0.7]);
        line(context, [x + r * 0.7, y - r * 0.7], [x - r * 0.7, y + r * 0.7]);
      }
      if (r >= 7) {
        context.fillStyle = up && routed ? color["node-ink"] : color.ink;
        context.fillText(node, x, y + 0.5);
      }
    }
  }

  // Frames last a millisecond; they are shown as long as a person needs to see them.
  function shownMs() { return Math.max(2, 420 * speed); }

  function firstAfter(at, ms) {
    let low = 0, high = at.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at[middle] <= ms) low = middle + 1; else high = middle;
    }
    return low;
  }

  function drawFrames(context) {
    const until = firstAfter(frames.at, now.ms);
    const from = Math.max(until - 600, firstAfter(frames.at, now.ms - shownMs()));
    for (let i = from; i < until; i++) {
      const [source, to, type, heard, missed] = frames.columns.map(column => column[i]);
      const share = (now.ms - frames.at[i]) / shownMs();
      const [ax, ay] = place(source);
      const tone = color[colorOfType[type] || "other"];
      context.strokeStyle = context.fillStyle = tone;
      if (!to) {
        context.globalAlpha = 0.55 * (1 - share);
        context.lineWidth = 2;
        context.beginPath();
        context.arc(ax, ay, radius() + share * 26, 0, 7);
        context.stroke();
      } else {
        const [bx, by] = place(to);
        const lost = heard === 0;
        const at = lost ? Math.min(share, 0.55) : share;
        const [x, y] = [ax + (bx - ax) * at, ay + (by - ay) * at];
        context.globalAlpha = lost && share > 0.55 ? 1 - (share - 0.55) : 1;
        if (lost && share > 0.55) {
          context.strokeStyle = color.bad;
          context.lineWidth = 2;
          line(context, [x - 4, y - 4], [x + 4, y + 4]);
          line(context, [x + 4, y - 4], [x - 4, y + 4]);
        } else {
          context.beginPath();
          context.arc(x, y, type === 0 ? 4.5 : 3, 0, 7);
          context.fill();
        }
      }
    }
    context.globalAlpha = 1;
  }

  function drawMap() {
    const { context, width, height } = fit(map);
    placing(width, height);
    drawLinks(context);
    drawRoutes(context);
    drawFrames(context);
    drawNodes(context);
  }

  const bins = 240;
  const made = new Float64Array(bins), missing = new Float64Array(bins);
  for (let i = 0; i < readings.count; i++) {
    const bin = Math.min(bins - 1, Math.floor(readings.at[i] / endMs * bins));
    made[bin]++;
    if (readings.columns[2][i] < 0) missing[bin]++;
  }

  // The thumb of a range input does not reach the ends.
  const thumb = 8;
  function drawStrip() {
    const { context, width, height } = fit(strip);
    const span = width - 2 * thumb;
    const most = Math.max(1, ...made);
    const x = ms => thumb + ms / endMs * span;
    for (let i = 0; i < bins; i++) {
      const tall = made[i] / most * (height - 12), red = missing[i] / most * (height - 12);
      context.globalAlpha = 0.45;
      context.fillStyle = color.accent;
      context.fillRect(thumb + i / bins * span, height - tall, span / bins - 0.5, tall);
      context.globalAlpha = 0.9;
      context.fillStyle = color.bad;
      context.fillRect(thumb + i / bins * span, height - red, span / bins - 0.5, red);
    }
    context.globalAlpha = 1;
    const mark = (list, tone) => {
      context.fillStyle = context.strokeStyle = tone;
      for (const [ms] of list) {
        context.lineWidth = 1;
        line(context, [x(ms), 0], [x(ms), height]);
        context.beginPath();
        context.moveTo(x(ms) - 4, 0);
        context.lineTo(x(ms) + 4, 0);
        context.lineTo(x(ms), 7);
        context.fill();
      }
    };
    mark(data.faults, color.warn);
    mark(data.violations, color.bad);
    context.strokeStyle = color.ink;
    context.lineWidth = 1.5;
    line(context, [x(now.ms), 0], [x(now.ms), height]);
  }

  // ---- text

  const seconds = ms => (ms / 1000).toFixed(ms < 1e6 ? 3 : 1) + " s";
  const sum = list => list.reduce((a, b) => a + b, 0);
  const put = (id, text) => { const at = byId(id); if (at.textContent !== String(text)) at.textContent = text; };

  function showText() {
    let up = 0, routed = 0;
    for (let node = 1; node <= n; node++) {
      if (now.state[node]) up++;
      if (now.state[node] && (now.next[node] || now.state[node] === 2 || node === data.root)) routed++;
    }
    put("clock", seconds(now.ms));
    put("up", up);
    put("down", n - up);
    put("routed", routed);
    put("made", sum(now.made));
    put("delivered", sum(now.done));
    put("lost", sum(now.lost));
    byId("scrub").value = Math.round(now.ms);
    byId("scrub").setAttribute("aria-valuetext", seconds(now.ms));
    const last = firstAfter(data.faults.map(fault => fault[0]), now.ms) - 1;
    [...byId("faults").children].forEach((item, i) => item.classList.toggle("now", i === last));
    showNode();
  }

  function showNode() {
    const node = selected || data.gateways[0] || 1;
    const state = ["down", "up", "up, serves as a gateway"][now.state[node]];
    const path = pathOf(node);
    const reaches = now.state[path[path.length - 1]] === 2 || path[path.length - 1] === data.root;
    const near = [];
    for (const [key, percent] of now.links) {
      const a = Math.floor(key / 65536), b = key % 65536;
      if (a === node || b === node) near.push(`${a === node ? b : a} (${percent} %)`);
    }
    const underWay = now.made[node] - now.done[node] - now.lost[node];
    const rows = [
      ["state", state],
      ["route", !now.state[node] ? "none" : path.length === 1 ? (reaches ? "its own" : "none")
        : path.join(" \u2192 ") + (reaches ? "" : " (leads nowhere)")],
      ["links", near.length ? near.join(", ") : "none"],
      ["made", now.made[node]],
      ["delivered", now.done[node]],
      ["under way", underWay],
      ["lost", now.lost[node]],
      [data.frameStride > 1 ? `frames (1 in ${data.frameStride})` : "frames sent", now.sent[node]],
    ];
    const text = rows.map(row => row.join("\t")).join("\n");
    const detail = byId("detail");
    if (detail.dataset.text === text) return;
    detail.dataset.text = text;
    detail.replaceChildren(...rows.flatMap(([name, value]) => {
      const dt = document.createElement("dt"), dd = document.createElement("dd");
      dt.textContent = name;
      dd.textContent = value;
      dd.dataset.name = name;
      return [dt, dd];
    }));
  }

  function show() {
    drawMap();
    drawStrip();
    showText();
  }

  // ---- control

  function go(ms) {
    moveTo(Math.max(0, Math.min(endMs, ms)));
    show();
  }

  function setPlaying(value) {
    playing = value;
    byId("play").textContent = playing ? "Pause" : "Play";
    byId("play").setAttribute("aria-label", playing ? "Pause" : "Play");
    if (playing) {
      if (now.ms >= endMs) go(0);
      let before = performance.now();
      const tick = at => {
        if (!playing) return;
        go(now.ms + Math.min(100, at - before) * speed);
        before = at;
        if (now.ms >= endMs) setPlaying(false); else requestAnimationFrame(tick);
      };
      requestAnimationFrame(tick);
    }
  }

  function select(node) {
    selected = node;
    byId("node").value = node;
    show();
  }

  function goToFault(step) {
    const times = data.faults.map(fault => fault[0]);
    const next = step > 0 ? times.find(ms => ms > now.ms + 0.05) : times.findLast(ms => ms < now.ms - 0.05);
    if (next !== undefined) go(next);
  }

  function goToFrame(step) {
    const i = step > 0 ? firstAfter(frames.at, now.ms + 0.001) : firstAfter(frames.at, now.ms - 0.06) - 1;
    if (i >= 0 && i < frames.count) go(frames.at[i]);
  }

  function changeSpeed(step) {
    const at = Math.max(0, Math.min(speeds.length - 1, speeds.indexOf(speed) + step));
    speed = speeds[at];
    byId("speed").value = speed;
    show();
  }

  function listed(id, rows) {
    byId(id).replaceChildren(...rows.map(([ms, text]) => {
      const item = document.createElement("li"), button = document.createElement("button"), time = document.createElement("span");
      button.type = "button";
      time.textContent = (ms / 1000).toFixed(2) + " s";
      button.append(time, text);
      button.addEventListener("click", () => go(ms));
      item.append(button);
      return item;
    }));
  }

  function neighborTowards(key) {
    const [x, y] = place(selected || 1);
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
    let best = 0, bestCost = Infinity;
    for (let node = 1; node <= n; node++) {
      const [px, py] = place(node);
      const along = (px - x) * dx + (py - y) * dy, aside = Math.abs((px - x) * dy - (py - y) * dx);
      if (along > 1 && along + 2 * aside < bestCost) { best = node; bestCost = along + 2 * aside; }
    }
    return best;
  }

  const keys = {
    " ": () => setPlaying(!playing),
    ArrowLeft: event => go(now.ms - (event.shiftKey ? 10000 : 1000)),
    ArrowRight: event => go(now.ms + (event.shiftKey ? 10000 : 1000)),
    Home: () => go(0),
    End: () => go(endMs),
    ",": () => goToFrame(-1),
    ".": () => goToFrame(1),
    "[": () => goToFault(-1),
    "]": () => goToFault(1),
    "-": () => changeSpeed(-1),
    "+": () => changeSpeed(1),
    "=": () => changeSpeed(1),
  };

  function onKey(event) {
    const at = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || at.tagName === "SELECT") return;
    if (at === map && event.key.startsWith("Arrow")) {
      const node = neighborTowards(event.key);
      if (node) select(node);
      event.preventDefault();
      return;
    }
    if (event.key === " " && at.tagName === "BUTTON") return;
    if (keys[event.key]) {
      keys[event.key](event);
      event.preventDefault();
    }
  }

  function start() {
    document.title = `${data.name}, seed ${data.seed}: IoTMesh replay`;
    put("name", data.name);
    put("about", `seed ${data.seed}, ${data.topology}, ${n} nodes, ${(endMs / 1000).toLocaleString("en")} s`);
    byId("scrub").max = Math.round(endMs);
    byId("speed").replaceChildren(...speeds.map(value => new Option(value + " \u00d7", value, value === 1, value === 1)));
    byId("node").replaceChildren(...Array.from({ length: n }, (_, i) => new Option(gateways.has(i + 1) ? `${i + 1} (gateway)` : i + 1, i + 1)));
    selected = data.gateways[0] || 1;
    byId("node").value = selected;
    put("faultcount", data.faults.length ? data.faults.length : "none");
    listed("faults", data.faults);
    byId("failed").hidden = data.violations.length === 0;
    listed("violations", data.violations);
    const notes = [`Bars: readings made, those that never arrive in red. Routes lead to ${data.root ? "node " + data.root : "the nearest gateway"}.`];
    notes.push("A dot or ring is a frame, shown longer than it lasts.");
    if (data.frameStride > 1) notes.push(`One in ${data.frameStride} of ${data.framesSeen} frames is shown.`);
    if (data.cut.length) notes.push(`Too much to hold, so not shown: ${data.cut.join(", ")}.`);
    put("notes", notes.join(" "));
    const legend = [["gate", "gateway"], ["node", "has a route"], ["warn-fill", "no route"], ["off", "down"], ["data", "data"], ["ack", "ack"],
      ["beacon", "beacon"], ["probe", "probe"], ["request", "request"], ["flood", "flood"], ["q1", "link from 90 %", 1], ["q2", "from 70 %", 1],
      ["q3", "from 40 %", 1], ["q4", "less", 1], ["route", "next hop", 1]];
    byId("legend").replaceChildren(...legend.map(([name, text, bar]) => {
      const item = document.createElement("li"), dot = document.createElement("i");
      dot.style.background = `var(--${name})`;
      if (bar) dot.className = "bar";
      item.append(dot, text);
      return item;
    }));
    findBounds();
    readColors();
    reset();
    byId("scrub").addEventListener("input", event => { setPlaying(false); go(Number(event.target.value)); });
    byId("play").addEventListener("click", () => setPlaying(!playing));
    byId("before").addEventListener("click", () => goToFault(-1));
    byId("after").addEventListener("click", () => goToFault(1));
    byId("speed").addEventListener("change", event => { speed = Number(event.target.value); show(); });
    byId("node").addEventListener("change", event => select(Number(event.target.value)));
    document.addEventListener("keydown", onKey);
    map.addEventListener("click", event => {
      const box = map.getBoundingClientRect();
      let best = 0, bestDistance = 24;
      for (let node = 1; node <= n; node++) {
        const [x, y] = place(node);
        const distance = Math.hypot(event.clientX - box.left - x, event.clientY - box.top - y);
        if (distance < bestDistance) { best = node; bestDistance = distance; }
      }
      if (best) select(best);
    });
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColors(); show(); });
    new ResizeObserver(show).observe(map);

    // A link can name a time in seconds and a node: replay.html#t=42.5&node=7
    const asked = new URLSearchParams(location.hash.slice(1));
    if (asked.has("node")) {
      selected = Math.max(1, Math.min(n, Number(asked.get("node")) || 1));
      byId("node").value = selected;
    }
    go(Number(asked.get("t") || 0) * 1000);
    document.body.dataset.ready = "true";
  }

  start();
})();
