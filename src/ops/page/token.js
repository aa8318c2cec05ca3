/**
 * Asks for the token without which the server shows nothing.
 *
 * @module
 */

/** What a header can carry. */
const TOKEN = /^[\x21-\x7e]+$/;

/** The form, in place of what is hidden until there is a token. */
export class TokenForm {
  #form;
  #others;
  #input;
  #why;

  /** Of a form of the page, and of what it stands for. */
  constructor(form, others) {
    this.#form = form;
    this.#others = others;
    this.#input = form.querySelector("input");
    this.#why = form.querySelector("[role=alert]");
  }

  /** Shows it, with the reason; resolves to what is typed in. */
  ask(why) {
    this.#show(true);
    this.#why.textContent = why;
    this.#input.focus();
    return new Promise((resolve) => {
      this.#form.onsubmit = (event) => {
        // It must not become a part of an address.
        event.preventDefault();
        const token = this.#input.value.trim();
        this.#input.value = "";
        if (!TOKEN.test(token)) {
          this.#why.textContent = "This is no token: it has letters, digits " +
            "and signs, and no blanks.";
          return;
        }
        // Said anew, so that it is read out again if it is the same.
        this.#why.textContent = "";
        this.#form.onsubmit = (again) => again.preventDefault();
        resolve(token);
      };
    });
  }

  /** There are figures to show. */
  close() {
    if (this.#form.hidden) return;
    this.#show(false);
    // The field that had it is gone.
    this.#others[0].focus();
  }

  #show(isAsked) {
    this.#form.hidden = !isAsked;
    for (const other of this.#others) other.hidden = isAsked;
  }
}
