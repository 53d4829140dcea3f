// Which events an answer is made of, and which one ends it; as callbacks.py.
"use strict";

// The request's id is the first argument of these.
const ROWS = new Set(["contractDetails", "historicalData", "accountSummary", "tickPrice", "tickSize", "execDetails", "pnl"]);
const ENDS = new Set(["contractDetailsEnd", "accountSummaryEnd", "tickSnapshotEnd", "execDetailsEnd", "pnl"]);
// Where the protocol gives a request no id, the name of what is asked for stands for it.
const ROWS_WITHOUT_ID = {
  openOrder: "openOrders",
  completedOrder: "completedOrders",
  position: "positions",
  updateAccountValue: "accountUpdates",
  currentTime: "currentTime",
};
const ENDS_WITHOUT_ID = {
  openOrderEnd: "openOrders",
  completedOrdersEnd: "completedOrders",
  positionEnd: "positions",
  accountDownloadEnd: "accountUpdates",
  currentTime: "currentTime",
};

class Answers {
  constructor() {
    this._awaited = new Map();
  }

  /** Begin to collect; `whole` is a promise of the rows. */
  expect(key) {
    const answer = { rows: [] };
    answer.whole = new Promise((resolve, reject) => Object.assign(answer, { resolve, reject }));
    this._awaited.set(key, answer);
    return answer;
  }

  /** Enter an event in the answer that it belongs to, if there is one. */
  take(name, told) {
    // The library ends a series of bars with one whose time begins with "finished".
    const isEnd = name === "historicalData" && String(told[1]).startsWith("finished");
    if (ROWS.has(name) && !isEnd) this._add(told[0], told.slice(1));
    if (name in ROWS_WITHOUT_ID) this._add(ROWS_WITHOUT_ID[name], told);
    if (ENDS.has(name) || isEnd) this.end(told[0]);
    if (name in ENDS_WITHOUT_ID) this.end(ENDS_WITHOUT_ID[name]);
  }

  /** Let the command that waits for an answer have what is there; the library asks for no more after an error. */
  end(key) {
    const answer = this._awaited.get(key);
    this._awaited.delete(key);
    answer?.resolve(answer.rows);
  }

  /** Let no command wait any longer. */
  endAll(error) {
    for (const answer of this._awaited.values()) {
      // One that is not awaited any more must not end the process.
      answer.whole.catch(() => {});
      answer.reject(error);
    }
    this._awaited.clear();
  }

  _add(key, row) {
    this._awaited.get(key)?.rows.push(row);
  }
}

module.exports = { Answers };
