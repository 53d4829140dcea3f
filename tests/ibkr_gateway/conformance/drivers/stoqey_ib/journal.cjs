// What the gateway told a client without being asked, and a way to wait for it; as journal.py.
"use strict";

const { named } = require("./conversation.cjs");

class Journal {
  constructor() {
    this.faults = [];
    this.positions = new Map();
    this.isOver = false;
    this._progress = new Map();
    this._executions = new Map();
    this._commissioned = new Set();
    this._waiting = new Set();
  }

  /** Let the commands that wait look again. */
  noteChange() {
    for (const look of this._waiting) look();
  }

  /** Enter where an order stands, unless it stood there before. */
  noteProgress(orderId, progress) {
    const known = this.progress(orderId);
    if (JSON.stringify(known.at(-1)) !== JSON.stringify(progress)) known.push(progress);
    this._progress.set(orderId, known);
  }

  /** Enter a fill, whose commission is told later. */
  noteExecution(execution) {
    if (!this._executions.has(execution.exec_id)) this._executions.set(execution.exec_id, execution);
  }

  /** Enter what a fill has cost. */
  noteCommission(execId, cost) {
    const known = this._executions.get(execId);
    if (!known) return;
    Object.assign(known, cost);
    this._commissioned.add(execId);
  }

  progress(orderId) {
    return this._progress.get(orderId) ?? [];
  }

  /** Return the fills of an order whose commission is known. */
  fills(orderId) {
    return [...this._executions.values()].filter(
      (execution) => execution.order_id === orderId && this._commissioned.has(execution.exec_id),
    );
  }

  /** Return as soon as a condition holds; fail when the deadline has passed or the connection has ended. */
  until(holds, what, deadlineMs) {
    return new Promise((resolve, reject) => {
      const settle = (act, value) => {
        clearTimeout(timer);
        this._waiting.delete(look);
        act(value);
      };
      const look = () => {
        if (holds()) settle(resolve);
        else if (this.isOver) settle(reject, named("ConnectionError", `${what}: the connection ended before`));
      };
      const timer = setTimeout(
        () => settle(reject, named("TimeoutError", `${what}: not within ${deadlineMs} ms; ${JSON.stringify(this)}`)),
        deadlineMs,
      );
      this._waiting.add(look);
      look();
    });
  }
}

module.exports = { Journal };
