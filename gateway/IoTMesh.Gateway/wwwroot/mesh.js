// Two things that only the browser knows: how large the map's frame is, and that the gateway was away.
const watched = new WeakMap();

export function watchSize(frame, map) {
  const observer = new ResizeObserver(entries => {
    const { width, height } = entries[entries.length - 1].contentRect;
    map.invokeMethodAsync("Resized", Math.round(width), Math.round(height)).catch(() => observer.disconnect());
  });
  observer.observe(frame);
  watched.set(frame, observer);
}

export function forgetSize(frame) {
  watched.get(frame)?.disconnect();
}

// After a restart the gateway no longer knows this page's connection: load the page anew, as soon as it answers.
async function reloadWhenBack() {
  try {
    await fetch("", { cache: "no-store" });
    location.reload();
  } catch {
    setTimeout(reloadWhenBack, 1000);
  }
}

const banner = document.getElementById("components-reconnect-modal");
if (banner && !banner.dataset.watched) {
  banner.dataset.watched = "yes";
  banner.addEventListener("components-reconnect-state-changed", event => {
    if (event.detail.state === "rejected" || event.detail.state === "failed") {
      reloadWhenBack();
    }
  });
}
