// Drives @stoqey/ib.
"use strict";

const { EventName, IBApi } = require("@stoqey/ib");

const { Answers } = require("./answers.cjs");
const { converse, named } = require("./conversation.cjs");
const { Journal } = require("./journal.cjs");
const its = require("./terms.cjs");

const ANSWER_MS = 8_000;
// Far above the order ids, because the gateway's errors name both in the same field.
const FIRST_REQUEST_ID = 1_000_000;
const NO_ID = -1;
// Codes that the library itself tells of, but for "cannot connect" and "not connected".
const isComplaint = (code) => code >= 500 && code < 600 && code !== 502 && code !== 504;

class StoqeyDriver {
  constructor() {
    this._begin();
    this._complaints = [];
  }

  _begin() {
    this._journal = new Journal();
    this._answers = new Answers();
    this._requestId = FIRST_REQUEST_ID;
    this._accounts = [];
    this._nextOrderId = 0;
    this._placed = new Map();
    this._reports = new Map();
  }

  async connect({ port, client_id: clientId, timeout_s: timeoutS }) {
    this.disconnect();
    this._begin();
    this._clientId = clientId;
    const api = new IBApi({ host: "127.0.0.1", port });
    this._api = api;
    const journal = this._journal;
    api.on(EventName.all, (name, told) => api === this._api && this._take(name, told));
    // An event of this name that has no listener ends the process.
    api.on(EventName.error, () => {});
    api.connect(clientId);
    try {
      await journal.until(() => this._nextOrderId && this._accounts.length, "a next order id", timeoutS * 1000);
    } catch (error) {
      this.disconnect();
      throw error;
    }
    return { server_version: api.serverVersion, accounts: this._accounts, next_order_id: this._nextOrderId };
  }

  disconnect() {
    if (this._api?.isConnected) this._api.disconnect();
  }

  is_connected() {
    return Boolean(this._api?.isConnected);
  }

  async current_time() {
    const [[epochS]] = await this._answer("currentTime", () => this._api.reqCurrentTime());
    return epochS;
  }

  async qualify({ symbol, security_type: securityType, local_symbol: localSymbol }) {
    const asked = its.stock(symbol, securityType, localSymbol);
    const rows = await this._answerById((requestId) => this._api.reqContractDetails(requestId, asked));
    return rows.map(([details]) => its.contract(details));
  }

  async bars({ symbol, duration, bar_size: size, end, format_date: format, use_rth: useRth }) {
    return (await this._history(symbol, end, duration, size, useRth, format)).map(its.bar);
  }

  async intraday_bars({ symbol, duration, bar_size: size }) {
    return (await this._history(symbol, "", duration, size, true, 2)).map(its.intradayBar);
  }

  async snapshot({ symbol }) {
    return its.quote(
      ticksOf(await this._answerById((id) => this._api.reqMktData(id, its.stock(symbol), "", true, false))),
    );
  }

  async stream({ symbol }) {
    const requestId = this._requestId++;
    const answer = this._answers.expect(requestId);
    this._api.reqMktData(requestId, its.stock(symbol), "", false, false);
    const wanted = Object.values(its.TICKS).filter((tickType) => tickType !== its.TICKS.bid_size);
    const isWhole = () => wanted.every((tickType) => ticksOf(answer.rows).has(tickType));
    await this._journal.until(isWhole, `ticks of ${symbol}`, ANSWER_MS);
    this._api.cancelMktData(requestId);
    return its.quote(ticksOf(answer.rows));
  }

  place(ticket) {
    return this._send(this._nextOrderId++, ticket, its.orderOf(ticket));
  }

  place_as({ order_id: orderId, ...ticket }) {
    return this._send(orderId, ticket, its.orderOf(ticket));
  }

  bracket(wanted) {
    const first = this._nextOrderId;
    this._nextOrderId += 3;
    return its.bracketOf(wanted, first).map((leg, place) => this._send(first + place, ...leg));
  }

  one_cancels_all({ tickets, group }) {
    const inGroup = { ocaGroup: group, ocaType: 1 };
    return tickets.map((ticket) => this._send(this._nextOrderId++, ticket, { ...its.orderOf(ticket), ...inGroup }));
  }

  modify({ order_id: orderId, limit_price: limitPrice }) {
    const ticket = this._placed.get(orderId);
    this._api.placeOrder(orderId, its.stock(ticket.symbol), { ...its.orderOf(ticket), lmtPrice: limitPrice });
  }

  cancel({ order_id: orderId }) {
    this._api.cancelOrder(orderId);
  }

  async what_if(ticket) {
    const orderId = this._nextOrderId++;
    const order = { ...its.orderOf(ticket), whatIf: true };
    const [[, , , state]] = await this._answer(orderId, () =>
      this._api.placeOrder(orderId, its.stock(ticket.symbol), order),
    );
    return {
      status: state.status,
      margin_before: state.initMarginBefore,
      margin_change: state.initMarginChange,
      margin_after: state.initMarginAfter,
      equity_after: state.equityWithLoanAfter,
      commission: state.commission,
      currency: state.commissionCurrency,
    };
  }

  async wait_for_status({ order_id: orderId, status }) {
    const hasIt = () => this._journal.progress(orderId).some((known) => known.status === status);
    await this._journal.until(hasIt, `order ${orderId} ${status}`, ANSWER_MS);
    return this._journal.progress(orderId);
  }

  async wait_for_fills({ order_id: orderId, count }) {
    const haveCome = () => this._journal.fills(orderId).length >= count;
    await this._journal.until(haveCome, `${count} fills of order ${orderId}`, ANSWER_MS);
    return this._journal.fills(orderId);
  }

  async wait_for_position({ symbol, quantity }) {
    const holdsIt = () => this._journal.positions.get(symbol)?.quantity === quantity;
    await this._journal.until(holdsIt, `${quantity} ${symbol}`, ANSWER_MS);
    return this._journal.positions.get(symbol);
  }

  async wait_for_end() {
    await this._journal.until(() => this._journal.isOver, "the end of the connection", ANSWER_MS);
  }

  async open_orders({ everyone }) {
    const ask = () => (everyone ? this._api.reqAllOpenOrders() : this._api.reqOpenOrders());
    return (await this._answer("openOrders", ask)).map(([orderId, described, order, state]) => ({
      order_id: orderId,
      perm_id: order.permId,
      client_id: order.clientId,
      ticket: its.ticketOf(described, order),
      status: state.status,
    }));
  }

  async completed_orders() {
    const rows = await this._answer("completedOrders", () => this._api.reqCompletedOrders(false));
    return rows.map(([described, order, state]) => ({
      perm_id: order.permId,
      ticket: its.ticketOf(described, order),
      status: state.status,
      filled: Number(order.filledQuantity),
    }));
  }

  async executions({ client_id: clientId, account, since, symbol, side }) {
    const wanted = { clientId: clientId || undefined, acctCode: account, time: since, symbol, side };
    const rows = await this._answerById((requestId) => this._api.reqExecutions(requestId, wanted));
    return rows.map(([described, done]) => its.execution(described, done, this._reports.get(done.execId)));
  }

  async positions() {
    return (await this._answer("positions", () => this._api.reqPositions())).map((row) => its.position(...row));
  }

  async account_summary() {
    const tags = "AccountType,NetLiquidation,TotalCashValue,GrossPositionValue,BuyingPower";
    const rows = await this._answerById((requestId) => this._api.reqAccountSummary(requestId, "All", tags));
    return rows.map(([account, tag, value, currency]) => ({ account, tag, value, currency: currency ?? "" }));
  }

  async account_updates() {
    const [account] = this._accounts;
    const rows = await this._answer("accountUpdates", () => this._api.reqAccountUpdates(true, account));
    this._api.reqAccountUpdates(false, account);
    return rows.map(([tag, value, currency, of]) => ({ account: of, tag, value, currency: currency ?? "" }));
  }

  async pnl() {
    const requestId = this._requestId++;
    const [row] = await this._answer(requestId, () => this._api.reqPnL(requestId, this._accounts[0], ""));
    if (!row) throw named("Refused", `profit and loss; ${JSON.stringify(this._journal.faults.at(-1))}`);
    this._api.cancelPnL(requestId);
    return its.pnl(row);
  }

  faults() {
    return this._journal.faults;
  }

  complaints() {
    return this._complaints.splice(0);
  }

  _history(symbol, end, duration, size, useRth, format) {
    return this._answerById((requestId) =>
      this._api.reqHistoricalData(requestId, its.stock(symbol), end, duration, size, "TRADES", useRth, format, false),
    );
  }

  _send(orderId, ticket, order) {
    this._placed.set(orderId, ticket);
    this._api.placeOrder(orderId, its.stock(ticket.symbol), order);
    return orderId;
  }

  _answerById(send) {
    const requestId = this._requestId++;
    return this._answer(requestId, () => send(requestId));
  }

  async _answer(key, send) {
    if (!this._api?.isConnected) throw named("ConnectionError", "the library is not connected");
    const { whole } = this._answers.expect(key);
    send();
    return whole;
  }

  _take(name, told) {
    this._answers.take(name, tick(name, told));
    this._takeAboutConnection(name, told);
    this._takeAboutOrders(name, told);
    this._journal.noteChange();
  }

  _takeAboutConnection(name, told) {
    if (name === "managedAccounts") this._accounts = told[0].split(",");
    if (name === "nextValidId") [this._nextOrderId] = told;
    if (name === "info") this._journal.faults.push({ request_id: NO_ID, code: told[1], text: told[0] });
    if (name === "error") {
      const [error, code, requestId] = told;
      if (isComplaint(code)) this._complaints.push(`${code} ${error.message}`);
      this._journal.faults.push({ request_id: requestId, code, text: error.message });
      this._answers.end(requestId);
    }
    if (name === "disconnected") {
      this._journal.isOver = true;
      this._answers.endAll(named("ConnectionError", "the connection ended before the answer"));
    }
  }

  _takeAboutOrders(name, told) {
    if (name === "orderStatus") {
      const [orderId, status, filled, remaining, price, permId, , , clientId] = told;
      if (clientId === this._clientId) {
        const amounts = { filled: Number(filled), remaining: Number(remaining), average_price: price ?? 0 };
        this._journal.noteProgress(orderId, { status, ...amounts, perm_id: permId });
      }
    }
    if (name === "openOrder" && told[2].whatIf) this._endWhatIf(told);
    if (name === "execDetails") this._journal.noteExecution(its.execution(told[1], told[2]));
    if (name === "commissionReport") {
      this._reports.set(told[0].execId, told[0]);
      this._journal.noteCommission(told[0].execId, its.cost(told[0]));
    }
    if (name === "position") {
      const held = its.position(...told);
      this._journal.positions.set(held.symbol, held);
    }
  }

  _endWhatIf(told) {
    this._answers._add(told[0], told);
    this._answers.end(told[0]);
  }
}

/** A tick's type and value, in the order of both events that carry one. */
const tick = (name, told) => (name === "tickPrice" || name === "tickSize" ? told.slice(0, 3) : told);

const ticksOf = (rows) => new Map(rows.map(([tickType, value]) => [tickType, value]));

converse(new StoqeyDriver());
