"use strict";
// A cursor over both lanes while a recording plays; a click on a lane plays from there.
for (const waves of document.querySelectorAll(".waves")) {
  const audio = waves.querySelector("audio");
  const duration = Number(waves.dataset.duration);
  if (!audio || !(duration > 0)) continue;
  const cursors = waves.querySelectorAll(".cursor");
  const show = () => {
    waves.classList.toggle("playing", !audio.paused || audio.currentTime > 0);
    for (const cursor of cursors) cursor.style.left = `${(100 * audio.currentTime) / duration}%`;
    if (!audio.paused) requestAnimationFrame(show);
  };
  audio.addEventListener("play", show);
  audio.addEventListener("timeupdate", show);
  for (const plot of waves.querySelectorAll(".plot")) {
    plot.addEventListener("click", (event) => {
      const box = plot.getBoundingClientRect();
      audio.currentTime = (duration * (event.clientX - box.left)) / box.width;
      audio.play();
    });
  }
}
// A link to a call opens it.
const openTarget = () => {
  const target = location.hash ? document.getElementById(location.hash.slice(1)) : null;
  if (target && target.matches("details")) target.open = true;
};
addEventListener("hashchange", openTarget);
openTarget();
// Told to whoever looks at the page by machine: it ran, so many waves are drawn, it fits.
const root = document.documentElement;
const drawn = [...document.querySelectorAll("path.wave")].filter((wave) => wave.getTotalLength() > 0);
root.dataset.waves = String(drawn.length);
root.dataset.tooWide = String(Math.max(0, root.scrollWidth - root.clientWidth));
root.dataset.ready = "yes";
