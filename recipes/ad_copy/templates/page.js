(function () {
  "use strict";
  var root = document.documentElement;
  function speak(lang) {
    root.lang = lang;
    document.querySelectorAll(".switch button").forEach(function (b) {
      b.setAttribute("aria-pressed", String(b.dataset.lang === lang));
    });
  }
  document.querySelectorAll(".switch button").forEach(function (b) {
    b.addEventListener("click", function () { speak(b.dataset.lang); });
  });
  var own = (navigator.language || "").slice(0, 2);
  speak(own === "zh" || own === "en" ? own : root.lang);

  var buttons = document.querySelectorAll(".filter button");
  buttons.forEach(function (b) {
    b.addEventListener("click", function () {
      buttons.forEach(function (o) { o.classList.toggle("on", o === b); });
      document.querySelectorAll(".card").forEach(function (card) {
        var show = b.dataset.show;
        card.hidden = !(show === "all" || show === card.dataset.lang || (show === "person" && card.dataset.person === "1"));
      });
    });
  });

  document.querySelectorAll(".copy").forEach(function (b) {
    b.addEventListener("click", function () {
      var area = document.createElement("textarea");
      area.value = b.dataset.copy;
      document.body.appendChild(area);
      area.select();
      var done = false;
      try { done = document.execCommand("copy"); } catch (e) { done = false; }
      area.remove();
      if (done) {
        b.classList.add("done");
        setTimeout(function () { b.classList.remove("done"); }, 1200);
      }
    });
  });
})();
