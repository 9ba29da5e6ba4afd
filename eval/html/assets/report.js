"use strict";
// Shows the embedded replies and filters them. Texts only ever become text nodes.
(() => {
  const PAGE = 10;
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("reply-data").textContent);
  const form = byId("filters");
  const cards = byId("cards");
  const status = byId("matches");
  const more = byId("more");
  let found = [];
  let shown = 0;

  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const chinese = (made) => {
    made.lang = "zh-Hans";
    return made;
  };
  // Models and layers take their colours from one palette, by place.
  const coloured = (made, place) => {
    made.style.setProperty("--c", `var(--m${place % 8})`);
    return made;
  };
  const plural = (count, noun) => `${count} ${count === 1 ? noun : noun.replace(/y$/, "ie") + "s"}`;
  const rounded = (value) => String(Math.round(value * 100) / 100).replace("-", "\u2212");
  const textOf = (reply) => ("raw" in reply ? reply.raw : [...reply.layers, reply.answer].join("\n"));

  for (const question of data.questions) {
    question.searched = [question.id, question.title, question.post].join("\n").toLowerCase();
    for (const replies of question.replies) {
      for (const reply of replies) reply.searched = textOf(reply).toLowerCase();
    }
  }

  // What the form asks for; null where it asks for nothing.
  const wanted = () => {
    const values = new FormData(form);
    const choice = (name) => (values.get(name) === "*" ? null : values.get(name));
    const bound = (name) => {
      const typed = values.get(name);
      return typed === "" || Number.isNaN(Number(typed)) ? null : Number(typed);
    };
    return {
      words: values.get("search").toLowerCase().split(/\s+/).filter(Boolean),
      topic: choice("topic"),
      risk: choice("risk"),
      model: choice("model"),
      validity: choice("validity"),
      low: bound("low"),
      high: bound("high"),
      beside: values.has("beside"),
    };
  };

  const fits = (question, reply, model, asked) => {
    if (asked.model !== null && Number(asked.model) !== model) return false;
    if (asked.validity !== null && (asked.validity === "invalid") !== "raw" in reply) return false;
    if (asked.low !== null && !(reply.reward >= asked.low)) return false;
    if (asked.high !== null && !(reply.reward <= asked.high)) return false;
    return asked.words.every((word) => question.searched.includes(word) || reply.searched.includes(word));
  };

  // For each model the places of its replies that fit.
  const hitsOf = (question, asked) =>
    question.replies.map((replies, model) =>
      replies.map((_, place) => place).filter((place) => fits(question, replies[place], model, asked)),
    );

  const filter = () => {
    const asked = wanted();
    found = [];
    let hits = 0;
    for (const question of data.questions) {
      if (asked.topic !== null && question.topic !== asked.topic) continue;
      if (asked.risk !== null && question.atRisk !== (asked.risk === "yes")) continue;
      const places = hitsOf(question, asked);
      const count = places.reduce((sum, mine) => sum + mine.length, 0);
      if (count === 0) continue;
      hits += count;
      found.push({ question, places });
    }
    const narrowed =
      asked.words.length > 0 || [asked.model, asked.validity, asked.low, asked.high].some((value) => value !== null);
    status.textContent = `${plural(found.length, "question")} of ${data.questions.length}, ${plural(hits, "matching reply")}.`;
    shown = 0;
    cards.replaceChildren();
    cards.dataset.narrowed = String(narrowed);
    cards.dataset.beside = String(asked.beside);
    showMore();
  };

  const showMore = () => {
    const next = found.slice(shown, shown + PAGE);
    for (const { question, places } of next) cards.append(card(question, places));
    shown += next.length;
    const left = found.length - shown;
    more.hidden = left === 0;
    more.textContent = `Show ${Math.min(PAGE, left)} more (${left} left)`;
  };

  const card = (question, places) => {
    const made = element("article", question.atRisk ? "card at-risk" : "card");
    if (question.atRisk) {
      const note = element("div", "crisis");
      note.append(chinese(element("p", "", data.note[0])), element("p", "", data.note[1]));
      made.append(note);
    }
    const fold = element("details");
    fold.open = !question.atRisk;
    const summary = element("summary");
    const title = chinese(element("h3", "", question.title));
    const topic = chinese(element("span", "chip", question.topic || "no topic"));
    if (question.atRisk) {
      const kinds = question.risks.length ? question.risks.join(", ") : "marked by the corpus";
      summary.append(element("span", "", `A post at risk (${question.level}: ${kinds}): open to read`), topic);
      fold.append(summary, title);
    } else {
      summary.append(title, topic);
      fold.append(summary);
    }
    fold.append(chinese(element("p", "post", question.post)));
    const columns = element("div", "columns");
    if (question.references.length) columns.append(human(question));
    question.replies.forEach((replies, model) => {
      const hits = places[model];
      const beside = cards.dataset.beside === "true";
      if (replies.length && (beside || hits.length)) columns.append(column(replies, model, hits, beside));
    });
    fold.append(columns, element("p", "id", question.id));
    made.append(fold);
    return made;
  };

  // A select of a column's texts, where there are several.
  const picker = (label, names, chosen, show) => {
    const made = element("select");
    made.setAttribute("aria-label", label);
    names.forEach(([value, name]) => {
      const option = element("option", "", name);
      option.value = String(value);
      made.append(option);
    });
    made.value = String(chosen);
    made.addEventListener("change", () => show(Number(made.value)));
    return made;
  };

  // References beside the models' replies.
  const human = (question) => {
    const made = element("section", "reply reference");
    const head = element("div", "head");
    const body = element("div", "body");
    head.append(element("h4", "", "reference"));
    const show = (place) => {
      const text = question.references[place];
      const answer = chinese(element("div", "answer"));
      answer.append(element("strong", "", "回复"), element("p", "", text));
      body.replaceChildren(element("p", "figures", `${text.length} characters`), answer);
    };
    if (question.references.length > 1) {
      const names = question.references.map((_, place) => [place, `reference ${place + 1}`]);
      head.append(picker("Which reference", names, 0, show));
    }
    made.append(head, body);
    show(0);
    return made;
  };

  const column = (replies, model, hits, beside) => {
    const made = coloured(element("section", "reply"), model);
    const head = element("div", "head");
    head.append(element("h4", "", data.models[model]));
    const body = element("div", "body");
    const offered = beside ? replies.map((_, place) => place) : hits;
    const show = (place) => {
      made.classList.toggle("hit", cards.dataset.narrowed === "true" && hits.includes(place));
      body.replaceChildren(...parts(replies[place]));
    };
    const first = hits.length ? hits[0] : offered[0];
    if (offered.length > 1) {
      const names = offered.map((place) => [place, `reply ${replies[place].sample + 1}`]);
      head.append(picker(`Which reply of ${data.models[model]}`, names, first, show));
    }
    made.append(head, body);
    show(first);
    return made;
  };

  const parts = (reply) => {
    const figures = Object.entries(data.figures).filter(([key]) => key in reply);
    const told = figures.map(([key, [label]]) => `${label} ${rounded(reply[key])}`);
    const line = element("p", "figures", [...told, `${reply.chars} characters`].join(" · "));
    if (reply.short) line.append(element("span", "chip short", "rewarded although very short"));
    if ("raw" in reply) {
      const raw = chinese(element("pre", "raw", reply.raw));
      raw.tabIndex = 0;
      return [line, element("p", "fault", `Not valid: ${reply.fault}.`), raw];
    }
    const layers = Object.entries(data.layers).flatMap(([name, title], place) => {
      if (place >= reply.layers.length) return [];
      const layer = coloured(chinese(element("div", "layer")), place + 1); // the palette's first is a grey
      layer.append(element("strong", "", `${name} ${title}`), element("p", "", reply.layers[place]));
      return [layer];
    });
    const answer = chinese(element("div", "answer"));
    answer.append(element("strong", "", "回复"), element("p", "", reply.answer));
    return [line, ...layers, answer];
  };

  const legend = byId("layer-legend");
  Object.entries(data.layers).forEach(([name, title], place) => {
    const item = chinese(element("li"));
    item.append(coloured(element("span", "swatch"), place + 1), `${name} ${title}`);
    legend.append(item);
  });

  let waiting = 0;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 150);
  });
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => {
    const first = shown;
    showMore();
    cards.children[first].querySelector("summary").focus();
  });
  filter();

  // The contents show which section is being read.
  const links = new Map([...document.querySelectorAll(".toc a")].map((link) => [link.hash.slice(1), link]));
  const seen = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        for (const [id, link] of links) {
          if (id === entry.target.id) link.setAttribute("aria-current", "true");
          else link.removeAttribute("aria-current");
        }
      }
    },
    { rootMargin: "-20% 0px -75% 0px" },
  );
  for (const id of links.keys()) seen.observe(byId(id));
})();
