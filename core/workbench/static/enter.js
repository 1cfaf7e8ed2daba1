// Changes the token of the link for the cookie. The token is behind #, so that no log and no other page ever sees it.

const said = document.getElementById("said");

async function enter() {
  const token = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  if (!token) {
    said.textContent = "Open the whole link that the program printed: the part behind # is its key.";
    return;
  }
  const answer = await fetch("/enter", {method: "POST", body: token});
  if (answer.ok) {
    location.replace("/");
    return;
  }
  said.textContent = "This link is not of the program that runs now. Open the one that it printed last.";
}

enter().catch(() => {
  said.textContent = "The program does not answer. Is it running, and is the tunnel open?";
});
