"""The modules that screens share, run in the browser against the real server."""

from workbench_kit import FRAMES

VIEW = """async query => {
  const {loadView, hexadecimal} = await import("/static/lib/view.js");
  const view = await loadView("dst", query, ["frame", "mark"]);
  return {...view, ids: [...view.ids].map(hexadecimal), columns: {frame: [...view.columns.frame]}};
}"""
THUMBS = """async count => {
  const {Thumbs, loadView} = await import("/static/lib/view.js");
  const {ids} = await loadView("src", "sort=-size");
  return new Promise(done => {
    const thumbs = new Thumbs("src", () => {
      const sizes = [...ids].map(id => thumbs.get(id)).map(one => one && [one.width, one.height]);
      const unknown = thumbs.get(1n);
      if (sizes.every(one => one !== undefined)) {
        thumbs.forget();
        done({sizes, unknown, left: thumbs.kept.size});
      }
    });
    thumbs.want([...ids]);
    thumbs.want([...ids, 1n]);
  });
}"""
REFUSED = """async () => {
  const {get, post} = await import("/static/lib/api.js");
  const answers = [];
  for (const ask of [() => get("dst/view?sort=nothing"), () => get("nothing"), () => post("src/edits", {})]) {
    answers.push(await ask().catch(error => ({status: error.status, what: error.what, hint: error.hint})));
  }
  return answers;
}"""


def test_a_view_arrives_as_it_was_sent(page, server):
    view = page.evaluate(VIEW, "sort=-size&frame=0..5")
    assert view["count"] == 6 and view["total"] == FRAMES and view["revision"] == server[1].sides["dst"].revision()
    known = {f"{int(number):016x}" for number in server[1].sides["dst"].table()[1].ids}
    assert len(set(view["ids"])) == 6 and set(view["ids"]) <= known
    assert sorted(view["columns"]["frame"]) == [0, 1, 2, 3, 4, 5] and view["words"]["mark"] == [""]


def test_thumbs_arrive_and_are_forgotten(page):
    found = page.evaluate(THUMBS, 0)
    assert found["sizes"] == [[96, 96]] * FRAMES and found["left"] == 0


def test_errors_have_the_words_of_the_server(page):
    view, missing, edit = page.evaluate(REFUSED)
    assert view["status"] == 422 and "under this name" in view["what"] and "there are" in view["hint"]
    assert missing["status"] == 404 and missing["what"]
    assert edit["status"] == 422 and "cannot be understood" in edit["what"]
    page.watch.forgive()  # the browser notes each of them


def test_an_edit_by_a_screen_is_one_change(page, server):
    code = """async () => {
      const {edit} = await import("/static/lib/undo.js");
      const {loadView, hexadecimal} = await import("/static/lib/view.js");
      const ids = [...(await loadView("src", "")).ids].map(hexadecimal);
      const mark = {op: "set_mark", faces: ids.slice(0, 3), mark: "keep"};
      return edit("src", [mark, {op: "set_person", faces: ids.slice(0, 1), person: "Ada"}]);
    }"""
    done = page.evaluate(code)
    assert done["faces"] == 4 and not done["repeated"]
    assert page.evaluate("window.forge.state().side") == "src"
