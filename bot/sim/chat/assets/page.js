// The script of the page: it asks for pieces of the page again when they have changed, sends forms without leaving the page, and
// helps while typing. Every sentence and every element comes from the server.
"use strict";
(() => {
  const one = (css, within = document) => within.querySelector(css);
  const all = (css, within = document) => [...within.querySelectorAll(css)];
  const here = new URL(location.href);
  const stored = (key, value) => {
    try {
      if (value === undefined) return localStorage.getItem("huiyin." + key);
      localStorage.setItem("huiyin." + key, value);
    } catch { /* a browser without storage forgets */ }
    return null;
  };
  const parsed = (html) => {
    const t = document.createElement("template");
    t.innerHTML = html; // drawn and escaped by the server
    return t.content;
  };

  // ---- Pieces -----------------------------------------------------------------------------------------------------

  const query = (more) => {
    const q = new URLSearchParams(location.search);
    q.delete("draft");
    for (const [k, v] of Object.entries(more)) q.set(k, v);
    return q;
  };

  const fetchPiece = async (name, more) => {
    const res = await fetch(`fragment/${name}?${query(more)}`);
    if (!res.ok) throw new Error(`${name}: ${res.status}`);
    return { html: await res.text(), rev: res.headers.get("Rev") };
  };

  // Messages are exchanged one by one, so that an open menu or a half-made choice in one of them survives news in another.
  const exchange = (list, fresh) => {
    const keep = new Map(all(":scope > li", list).map((li) => [li.id, li]));
    let at = list.firstElementChild;
    for (const li of [...fresh.children]) {
      const old = keep.get(li.id);
      keep.delete(li.id);
      const next = old && old.dataset.rev === li.dataset.rev ? old : li;
      if (next !== old && old) {
        if (at === old) at = old.nextElementSibling;
        old.remove();
      }
      if (next === at) at = at.nextElementSibling;
      else list.insertBefore(next, at);
    }
    for (const gone of keep.values()) gone.remove();
  };

  const atEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 90;
  const toEnd = (box) => { box.scrollTop = box.scrollHeight; };

  const put = (piece, html, rev) => {
    if (piece.dataset.rev === rev) return;
    const content = parsed(html);
    const list = one(".messages", piece), fresh = one(".messages", content);
    const box = piece.closest(".scroller");
    const follow = box && (atEnd(box) || box.dataset.follow);
    if (list && fresh) exchange(list, fresh);
    else {
      const open = all("details[open][id]", piece).map((d) => d.id);
      piece.replaceChildren(content);
      for (const id of open) {
        const d = document.getElementById(id);
        if (d && piece.contains(d) && piece.dataset.piece === "inspector") d.open = true;
      }
    }
    piece.dataset.rev = rev;
    if (box) delete box.dataset.follow;
    if (follow && list) toEnd(box);
    if (piece.dataset.piece === "modal") modalChanged(piece.closest(".pane"));
    if (piece.dataset.piece === "people") people.drawn();
    if (piece.dataset.piece === "tour") tour.show();
  };

  // Several reasons to draw a piece again within a moment are one.
  const waiting = new Map();
  const refresh = (piece) => {
    if (!piece) return Promise.resolve();
    const w = waiting.get(piece);
    if (w) {
      w.again = true;
      return w.done;
    }
    const job = { again: false };
    job.done = (async () => {
      do {
        job.again = false;
        const name = piece.dataset.piece, pane = piece.closest(".pane");
        const more = pane ? { pane: pane.dataset.pane } : name === "tour" ? { praised: stored("tour.to") || "" } : { q: people.typed() };
        try {
          const { html, rev } = await fetchPiece(name, more);
          put(piece, html, rev);
        } catch { /* the stream says when the server is back */ }
      } while (job.again);
      waiting.delete(piece);
    })();
    waiting.set(piece, job);
    return job.done;
  };
  const pieces = (name, within = document) => all(`[data-piece="${name}"]`, within);
  const refreshAll = (name, within) => Promise.all(pieces(name, within).map(refresh));
  const panes = () => all(".pane");

  // ---- Changes ----------------------------------------------------------------------------------------------------

  const onChange = ({ kind, user, place }) => {
    const touched = panes().filter((p) => !user || p.dataset.user === user);
    switch (kind) {
      case "messages": {
        const shown = touched.filter((p) => p.dataset.place === place || !place);
        Promise.all(shown.map((p) => refreshAll("messages", p))).then(() => {
          refreshAll("places");
          refreshAll("people");
        });
        break;
      }
      case "modal": touched.forEach((p) => refreshAll("modal", p)); break;
      case "home": touched.forEach((p) => refreshAll("home", p)); break;
      case "requests": panes().forEach(inspect); break;
      case "people": ["people", "places", "messages"].forEach((n) => refreshAll(n)); break;
      case "clock": refreshAll("clock"); break;
      default: everything();
    }
  };
  const everything = () => {
    for (const name of ["messages", "home", "modal", "places", "people", "clock"]) refreshAll(name);
    panes().forEach(inspect);
  };

  let stream;
  const listen = () => {
    stream = new EventSource("events" + location.search);
    let before = false;
    stream.addEventListener("ready", () => {
      if (before) everything(); // what happened while the stream was away
      before = true;
      document.documentElement.dataset.live = "yes";
    });
    stream.addEventListener("error", () => delete document.documentElement.dataset.live);
    stream.addEventListener("change", (e) => onChange(JSON.parse(e.data)));
    stream.addEventListener("deed", (e) => tour.deed(JSON.parse(e.data)));
  };
  addEventListener("pagehide", () => stream && stream.close());
  addEventListener("pageshow", (e) => { if (e.persisted) { listen(); everything(); } });
  setInterval(() => refreshAll("clock"), 20000);

  // ---- Forms ------------------------------------------------------------------------------------------------------

  const actURL = (form, submitter, name) => {
    const url = new URL((submitter && submitter.hasAttribute("formaction") && submitter.formAction) || form.action);
    if (name) url.pathname = url.pathname.replace(/[^/]*$/, name);
    return url;
  };

  const ask = async (url, body) => {
    try {
      const res = await fetch(url, { method: "POST", body, headers: { Accept: "application/json" } });
      const text = await res.text();
      try { return { ok: res.ok, ...JSON.parse(text) }; } catch { return { ok: res.ok, notice: text }; }
    } catch (e) {
      return { ok: false, notice: String(e.message || e) };
    }
  };

  const notice = (form, text) => {
    const p = one(".notice", form);
    if (!p) return;
    p.textContent = text || "";
    p.hidden = !text;
  };

  // What is wrong with single fields stands beside them until the form is sent again.
  const complain = (form, fields) => {
    for (const p of all(".input .error[data-here]", form)) {
      p.hidden = true;
      p.textContent = "";
      delete p.dataset.here;
      p.closest(".input").classList.remove("wrong");
    }
    let first = null;
    for (const [name, text] of Object.entries(fields || {})) {
      const field = all("[name]", form).find((e) => e.name === name);
      const box = field && field.closest(".input"), p = box && one(".error", box);
      if (!p) continue;
      p.textContent = text;
      p.hidden = false;
      p.dataset.here = "yes";
      box.classList.add("wrong");
      const use = one(":is(input, textarea, select, summary):not([type=hidden])", box);
      if (!first || use.compareDocumentPosition(first) & Node.DOCUMENT_POSITION_FOLLOWING) first = use;
    }
    if (first) first.focus();
  };

  const toast = (pane, { kind, text }) => {
    const box = one(".toast", pane);
    clearTimeout(box.late);
    box.textContent = text;
    box.dataset.kind = kind;
    box.hidden = false;
    box.late = setTimeout(() => { box.hidden = true; }, Math.max(4000, 120 * text.length));
  };

  // A page of the bot's opens beside the conversation, as in the vendor's client; one that lets nobody frame it opens in a window.
  const openSheet = (pane, { url, framed }) => {
    const box = one(".sheet", pane), note = one(".sheet-note", box);
    for (const f of all("iframe", box)) f.remove();
    one("header a", box).href = url;
    note.hidden = framed;
    note.textContent = note.dataset.text;
    if (framed) {
      const frame = document.createElement("iframe");
      frame.setAttribute("sandbox", "allow-forms allow-scripts allow-same-origin allow-popups");
      frame.title = box.ariaLabel || "";
      frame.src = url;
      box.append(frame);
    } else window.open(url, "_blank", "noopener");
    box.classList.toggle("framed", framed);
    box.hidden = false;
    one("header a", box).focus();
  };
  const closeSheet = (pane) => {
    const box = one(".sheet", pane);
    box.hidden = true;
    for (const f of all("iframe", box)) f.remove();
    refreshAll("messages", pane);
  };
  document.addEventListener("click", (e) => {
    const b = e.target.closest(".sheet-closes");
    if (b) closeSheet(b.closest(".pane"));
  });

  const act = async (form, { submitter = null, name = "", more = {} } = {}) => {
    const body = new URLSearchParams(new FormData(form, submitter));
    for (const [k, v] of Object.entries(more)) body.set(k, v);
    const pane = form.closest(".pane");
    const kind = new URL(form.action).pathname;
    notice(form, "");
    form.setAttribute("aria-busy", "true");
    const reply = await ask(actURL(form, submitter, name), body);
    form.removeAttribute("aria-busy");
    if (!reply.ok) notice(form, reply.notice);
    complain(form, reply.fields);
    if (pane && reply.toast) toast(pane, reply.toast);
    if (pane && reply.sheet) openSheet(pane, reply.sheet);
    if (pane) await Promise.all(["modal", "messages", "home"].map((n) => refreshAll(n, pane)));
    if (kind.endsWith("/clock")) everything();
    return reply;
  };

  document.addEventListener("submit", async (e) => {
    const form = e.target.closest("form[data-act]");
    if (!form) return;
    e.preventDefault();
    const by = e.submitter;
    for (const box of [by && by.closest("dialog.confirm"), by && by.closest("details.menu")]) {
      if (box && box.close) box.close(); else if (box) box.open = false;
    }
    if (form.matches(".composer")) return composer.send(form);
    if (form.getAttribute("aria-busy")) return;
    await act(form, { submitter: by, name: by && by.name === "press" ? "press" : "" });
  });

  const press = (form, value) => act(form, { name: "press", more: { press: value } });

  // A control outside an input block acts when it changes, after its question if it has one.
  document.addEventListener("change", (e) => {
    const picker = e.target.closest(".picker");
    if (picker) pickers.summarise(picker);
    const live = e.target.closest("[data-press]");
    if (!live || e.target.type === "search") return;
    const confirmation = live.dataset.asks && document.getElementById(live.dataset.asks);
    if (!confirmation) return void press(live.form || live.closest("form"), live.dataset.press);
    confirmation.dataset.press = live.dataset.press;
    confirmation.showModal();
  });

  document.addEventListener("click", (e) => {
    const t = e.target;
    const asks = t.closest("button[data-asks]");
    if (asks) document.getElementById(asks.dataset.asks).showModal();
    const no = t.closest(".confirm-no");
    if (no) no.closest("dialog").close();
    const yes = t.closest(".confirm-yes[type=button]");
    if (yes) {
      const d = yes.closest("dialog");
      d.close();
      press(d.closest("form"), d.dataset.press);
    }
    const link = t.closest("a[data-press]");
    if (link && link.hasAttribute("data-beside")) e.preventDefault(); // where it opens, the server says
    if (link) press(link.closest("form"), link.dataset.press); // any other link opens by itself as well
    for (const d of all("details.menu[open], details.picker[open]")) if (!d.contains(t)) d.open = false;
  });

  // ---- Modals -----------------------------------------------------------------------------------------------------

  // A modal belongs to its pane: the rest of the pane rests, the other person goes on.
  const modalChanged = (pane) => {
    const dialog = one("dialog.modal", pane);
    for (const part of [...pane.children]) if (!part.matches(".overlay")) part.inert = Boolean(dialog);
    pane.classList.toggle("has-modal", Boolean(dialog));
    if (!dialog) {
      if (pane.dataset.modal) { const text = one(".composer textarea", pane); if (text) text.focus(); }
      delete pane.dataset.modal;
      return;
    }
    const wrong = one(".wrong :is(input, textarea, select, summary):not([type=hidden])", dialog);
    if (pane.dataset.modal !== dialog.dataset.view || wrong) {
      const first = wrong || one("[autofocus]", dialog) ||
        one(".card :is(input, textarea, select, summary, button):not([type=hidden])", dialog) || one("footer button", dialog);
      if (first) first.focus();
    }
    pane.dataset.modal = dialog.dataset.view;
  };

  document.addEventListener("keydown", (e) => {
    if (e.key !== "Escape" || e.defaultPrevented) return;
    const open = e.target.closest("details.picker[open], details.menu[open]");
    if (open) {
      open.open = false;
      one("summary", open).focus();
      return;
    }
    const sheet = e.target.closest(".sheet");
    if (sheet) return closeSheet(sheet.closest(".pane"));
    const modal = e.target.closest("dialog.modal");
    if (modal && !e.target.closest("dialog.confirm")) {
      e.preventDefault();
      one(".modal-closes", modal).click();
      return;
    }
    if (document.body.classList.contains("drawer")) people.drawer(false);
  });

  // ---- Pickers: a list with a search in it ------------------------------------------------------------------------

  const pickers = {
    summarise(picker) {
      const chosen = all(".choices input:checked", picker).map((i) => i.dataset.label);
      const summary = one("summary", picker);
      if (!summary.dataset.empty) summary.dataset.empty = picker.dataset.empty || summary.textContent;
      summary.textContent = chosen.length ? chosen.join(document.documentElement.lang === "en" ? ", " : "、") : summary.dataset.empty;
      summary.classList.toggle("chosen", chosen.length > 0);
    },
    shut(picker) {
      picker.open = false;
      one("summary", picker).focus();
    },
    async search(input) {
      const picker = input.closest(".picker"), form = input.closest("form");
      const body = new URLSearchParams(new FormData(form));
      body.set("element", input.dataset.element);
      body.set("typed", input.value);
      const n = (picker.searches = (picker.searches || 0) + 1);
      const reply = await ask(actURL(form, null, "choices"), body);
      if (n === picker.searches && reply.ok) one(".choices", picker).replaceChildren(parsed(reply.html));
      else if (!reply.ok) notice(form, reply.notice);
    },
  };
  document.addEventListener("toggle", (e) => {
    if (!e.target.matches(".picker") || !e.target.open) return;
    const first = one("input[type=search]", e.target) || one(".choices input", e.target);
    if (first) first.focus();
    e.target.scrollIntoView({ block: "nearest" });
  }, true);
  document.addEventListener("input", (e) => {
    if (e.target.matches(".picker input[type=search]")) {
      e.stopPropagation();
      pickers.search(e.target);
    }
  }, true);
  document.addEventListener("click", (e) => {
    // A radio button clicked by hand ends the choice; the click that an arrow key makes does not.
    const input = e.target.closest(".picker:not([data-multiple]) .choices input");
    if (input && e.detail > 0) pickers.shut(input.closest(".picker"));
  });
  document.addEventListener("keydown", (e) => {
    const picker = e.target.closest(".picker-list") && e.target.closest(".picker");
    if (!picker || e.isComposing) return;
    const choices = all(".choices input", picker);
    if (e.key === "Enter") {
      e.preventDefault();
      if (e.target.type === "search" && choices[0] && !choices[0].checked) choices[0].click();
      if (!picker.hasAttribute("data-multiple") || e.target.type !== "search") pickers.shut(picker);
    } else if (e.key === "ArrowDown" && e.target.type === "search" && choices[0]) {
      e.preventDefault();
      choices[0].focus();
    }
  });

  document.addEventListener("reset", (e) => setTimeout(() => all(".picker", e.target).forEach(pickers.summarise)));

  // ---- Composer ---------------------------------------------------------------------------------------------------

  const composer = {
    async send(form) {
      const text = one("textarea", form), words = text.value;
      if (!words.trim()) return;
      const body = new URLSearchParams(new FormData(form));
      const pane = form.closest(".pane");
      const box = one(".scroller", pane);
      text.value = "";
      composer.size(text);
      composer.shut(form);
      notice(form, "");
      box.dataset.follow = "yes";
      form.setAttribute("aria-busy", "true");
      const reply = await ask(actURL(form), body);
      form.removeAttribute("aria-busy");
      if (!reply.ok) {
        notice(form, reply.notice);
        if (!text.value) text.value = words;
        composer.size(text);
      }
      await Promise.all(["modal", "messages"].map((n) => refreshAll(n, pane)));
      toEnd(box);
    },
    size(text) {
      text.style.height = "auto";
      text.style.height = Math.min(text.scrollHeight, 180) + "px";
    },
    // What is being typed: a command at the beginning, a name after @, or the words of a known command.
    token(text) {
      const before = text.value.slice(0, text.selectionStart);
      const command = /^\/[^\s/]*$/.exec(before);
      if (command) return { kind: "/", q: command[0], from: 0 };
      const name = text.form.hasAttribute("data-mentions") && /(?:^|[^A-Za-z0-9._%+-])@([^\s@]{0,30})$/.exec(before);
      if (name) return { kind: "@", q: name[1], from: before.length - name[1].length - 1 };
      const whole = /^(\/\S+)\s/.exec(before);
      if (whole) return { kind: "usage", q: whole[1], from: -1 };
      return null;
    },
    async hint(text) {
      const form = text.form, list = one(".hints", form), token = composer.token(text);
      if (!token || !form.token || token.kind !== form.token.kind || token.from !== form.token.from) composer.shut(form);
      if (!token) return;
      const n = (form.hints = (form.hints || 0) + 1);
      let html = "";
      try {
        ({ html } = await fetchPiece("hints", { kind: token.kind, q: token.q, pane: form.closest(".pane").dataset.pane }));
      } catch { /* no hints */ }
      if (n !== form.hints) return;
      list.replaceChildren(parsed(html));
      list.hidden = !list.firstElementChild;
      form.token = token;
      const options = composer.options(form);
      one("[role=status]", form).textContent = options.length ? `${options.length} ${one("[role=listbox]", list).ariaLabel || ""}` : "";
      composer.mark(form, options[0]);
    },
    options: (form) => all(".hints:not([hidden]) [role=option]", form),
    marked: (form) => one(".hints:not([hidden]) [aria-selected=true]", form),
    mark(form, option) {
      for (const o of composer.options(form)) o.setAttribute("aria-selected", String(o === option));
      const text = one("textarea", form);
      if (option) {
        text.setAttribute("aria-activedescendant", option.id);
        option.scrollIntoView({ block: "nearest" });
      } else text.removeAttribute("aria-activedescendant");
    },
    shut(form) {
      form.hints = (form.hints || 0) + 1;
      one(".hints", form).hidden = true;
      one("textarea", form).removeAttribute("aria-activedescendant");
    },
    take(form, option) {
      const text = one("textarea", form), { kind, q, from } = form.token;
      const to = from + q.length + (kind === "@" ? 1 : 0); // more may have been typed since
      text.setRangeText(option.dataset.insert, from, to, text.selectionStart > to ? "preserve" : "end");
      text.focus();
      composer.size(text);
      composer.hint(text);
    },
    async key(e) {
      const text = e.target, form = text.form;
      if (e.isComposing || e.keyCode === 229) return; // an input method is choosing characters
      const token = composer.token(text), shown = composer.options(form).length && form.token;
      if (shown && token && token.q !== shown.q && (e.key === "Enter" || e.key === "Tab") && !e.shiftKey) {
        e.preventDefault(); // the keyboard is ahead of the list
        await composer.hint(text);
        const best = composer.marked(form);
        if (best && (e.key === "Tab" || best.dataset.insert.trim() !== text.value.trim())) composer.take(form, best);
        else if (e.key === "Enter") form.requestSubmit();
        return;
      }
      const options = composer.options(form), marked = composer.marked(form);
      const at = options.indexOf(marked);
      if (options.length && (e.key === "ArrowDown" || e.key === "ArrowUp")) {
        e.preventDefault();
        composer.mark(form, options[(at + (e.key === "ArrowDown" ? 1 : options.length - 1)) % options.length]);
      } else if (e.key === "Escape" && !one(".hints", form).hidden) {
        e.preventDefault();
        composer.shut(form);
      } else if (marked && !e.shiftKey &&
          (e.key === "Tab" || e.key === "Enter" && marked.dataset.insert.trim() !== text.value.trim())) {
        e.preventDefault();
        composer.take(form, marked);
      } else if (e.key === "Enter" && !e.shiftKey) {
        e.preventDefault();
        form.requestSubmit();
      }
    },
  };
  document.addEventListener("input", (e) => {
    if (!e.target.matches(".composer textarea")) return;
    composer.size(e.target);
    composer.hint(e.target);
  });
  document.addEventListener("keydown", (e) => { if (e.target.matches(".composer textarea")) composer.key(e); });
  document.addEventListener("mousedown", (e) => {
    const option = e.target.closest(".hints [role=option]");
    if (!option) return;
    e.preventDefault(); // the text keeps the focus
    composer.take(option.closest("form"), option);
  });
  document.addEventListener("focusout", (e) => { if (e.target.matches(".composer textarea")) composer.shut(e.target.form); });

  // ---- People -----------------------------------------------------------------------------------------------------

  const people = {
    typed: () => one("#people-search").value,
    drawer(open) {
      document.body.classList.toggle("drawer", open);
      one(".veil").hidden = !open;
      for (const b of all(".drawer-opens")) b.setAttribute("aria-expanded", String(open));
      one("#panes").inert = open;
      if (open) one("#people-search").focus();
      else one(".drawer-opens").focus();
    },
    drawn() {
      const current = one(".people .here");
      if (current && !people.typed()) current.scrollIntoView({ block: "nearest" });
    },
  };
  one("#people-search").addEventListener("input", () => refreshAll("people"));
  one("#people-search").addEventListener("keydown", (e) => {
    if (e.key !== "Enter" || e.isComposing) return;
    const first = one(".people .person");
    if (first) location.href = first.href;
  });
  for (const b of all(".drawer-opens")) b.addEventListener("click", () => people.drawer(!document.body.classList.contains("drawer")));
  one(".drawer-closes").addEventListener("click", () => people.drawer(false));
  one(".veil").addEventListener("click", () => people.drawer(false));

  // ---- Inspector --------------------------------------------------------------------------------------------------

  const inspect = (pane) => {
    const open = !one(".inspector", pane).hidden;
    return open ? refreshAll("inspector", pane) : Promise.resolve();
  };
  const showInspector = (pane, open) => {
    one(".inspector", pane).hidden = !open;
    pane.classList.toggle("inspected", open);
    for (const b of all(".inspector-toggles", pane)) b.setAttribute("aria-expanded", String(open));
    stored("inspector" + pane.dataset.pane, open ? "open" : "");
    return inspect(pane);
  };
  document.addEventListener("click", (e) => {
    const b = e.target.closest(".inspector-toggles");
    if (!b) return;
    const pane = b.closest(".pane");
    showInspector(pane, one(".inspector", pane).hidden);
  });

  // ---- Tour -------------------------------------------------------------------------------------------------------

  // The step that is done says so in data-done: "manager" (one is shown), "command NAME", "press", and after a comma "public" (a
  // public channel is shown once the first has happened).
  const tour = {
    box: one(".tour"),
    at: () => stored("tour") || "1",
    step: () => one(`.tour [data-step="${tour.at()}"]`),
    show() {
      const at = tour.at();
      tour.box.hidden = at === "closed";
      for (const li of all("[data-step]", tour.box)) li.hidden = li.dataset.step !== at;
      one(".tour-next", tour.box).hidden = at === "done";
      tour.look();
    },
    go(to) {
      stored("tour", to);
      stored("tour.half", "");
      tour.show();
    },
    next() {
      const n = Number(tour.at());
      tour.go(n >= all("[data-step]", tour.box).length - 1 ? "done" : String(n + 1));
    },
    wants() {
      const step = !tour.box.hidden && tour.step();
      return step && step.dataset.done ? step.dataset.done.split(", ") : [];
    },
    // look asks whether what is on the screen ends the step.
    look() {
      const wants = tour.wants();
      if (wants[0] === "manager" && one(".pane[data-manager]")) return tour.next();
      if (wants[1] === "public" && stored("tour.half") && one('.pane[data-kind="public"]')) tour.next();
    },
    deed(d) {
      const wants = tour.wants();
      if (!wants.length) return;
      const [what, name] = wants[0].split(" ");
      let done = false;
      if (what === "command") {
        if (d.kind === "command" && d.name === name) {
          done = d.whole && (d.to || name === "lang"); // a name that the bot does not know is asked about first
          stored("tour.by", d.user);
          stored("tour.open", done ? "" : name);
        } else if (stored("tour.open") === name && d.user === stored("tour.by")) {
          done = d.kind === "press" || d.kind === "submit" && d.whole;
        }
      } else if (what === "press") done = d.kind === "press" && d.user !== stored("tour.by");
      if (!done) return;
      stored("tour.open", "");
      if (name === "praise" && d.to) {
        stored("tour.to", d.to);
        refreshAll("tour");
      }
      if (!wants[1]) return tour.next();
      stored("tour.half", "yes");
      tour.look();
    },
  };
  one(".tour-next").addEventListener("click", tour.next);
  one(".tour-closes").addEventListener("click", () => tour.go("closed"));
  one(".tour-starts").addEventListener("click", () => {
    stored("tour.to", "");
    tour.go("1");
  });

  // ---- Start ------------------------------------------------------------------------------------------------------

  for (const pane of panes()) {
    toEnd(one(".scroller", pane));
    modalChanged(pane);
    if (stored("inspector" + pane.dataset.pane) && innerWidth >= 1100) showInspector(pane, true);
    const opens = one(".home-opens", pane);
    if (opens) act(opens);
    const text = one(".composer textarea", pane);
    if (text && text.value) {
      composer.size(text);
      text.setSelectionRange(text.value.length, text.value.length);
    }
  }
  const first = one('.pane[data-pane="1"] .composer textarea');
  if (first && innerWidth >= 700 && !one(".has-modal")) first.focus();
  if (here.searchParams.has("draft")) { // once is enough
    here.searchParams.delete("draft");
    history.replaceState(null, "", here);
  }
  people.drawn();
  tour.show();
  if (stored("tour.to")) refreshAll("tour");
  listen();
})();
