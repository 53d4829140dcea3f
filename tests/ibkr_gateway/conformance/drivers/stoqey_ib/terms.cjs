// The library's objects from terms, and terms from its objects; what they mean stands in terms.py.
"use strict";

// Source: "Tick Types" in the TWS API documentation.
const TICKS = {
  bid: 1,
  ask: 2,
  last: 4,
  bid_size: 0,
  ask_size: 3,
  last_size: 5,
  open: 14,
  high: 6,
  low: 7,
  previous_close: 9,
  volume: 8,
};

const stock = (symbol, securityType = "STK", localSymbol = undefined) => ({
  symbol,
  localSymbol: localSymbol || undefined,
  secType: securityType,
  exchange: "SMART",
  currency: "USD",
});

const contract = ({ contract: c }) => ({
  con_id: c.conId,
  symbol: c.symbol,
  security_type: c.secType,
  exchange: c.exchange,
  primary_exchange: c.primaryExch ?? "",
  currency: c.currency,
  trading_class: c.tradingClass,
});

const bar = ([time, open, high, low, close, volume]) => ({
  day: `${time.slice(0, 4)}-${time.slice(4, 6)}-${time.slice(6, 8)}`,
  open,
  high,
  low,
  close,
  volume: Number(volume),
});

const intradayBar = ([time, open, high, low, close, volume]) => ({
  at_s: Number(time),
  open,
  high,
  low,
  close,
  volume: Number(volume),
});

// The library gives no size beside the price of a bid: it takes the type 0 of that tick for no type (decoder.js,
// decodeMsg_TICK_PRICE), so that a size of the bid is there only if the gateway told it in a message of its own.
const quote = (ticks) =>
  Object.fromEntries(Object.entries(TICKS).map(([name, tickType]) => [name, Number(ticks.get(tickType))]));

const orderOf = (ticket) => ({
  action: ticket.action,
  totalQuantity: ticket.quantity,
  orderType: ticket.order_type,
  lmtPrice: ticket.limit_price ?? undefined,
  auxPrice: ticket.stop_price ?? undefined,
  orderRef: ticket.reference,
  tif: "DAY",
  transmit: true,
});

/**
 * Make the orders of a bracket; the library has no helper for it.
 *
 * Source: "Bracket Orders" in the TWS API documentation: only the last one is transmitted, and the others with it.
 */
function bracketOf(wanted, firstOrderId) {
  const { symbol, quantity, action } = wanted;
  const back = action === "BUY" ? "SELL" : "BUY";
  const tickets = [
    { symbol, action, quantity, order_type: "LMT", limit_price: wanted.limit_price, reference: "" },
    { symbol, action: back, quantity, order_type: "LMT", limit_price: wanted.take_profit_price, reference: "" },
    { symbol, action: back, quantity, order_type: "STP", stop_price: wanted.stop_loss_price, reference: "" },
  ];
  return tickets.map((ticket, place) => {
    const order = { ...orderOf(ticket), transmit: place === tickets.length - 1 };
    return [ticket, place ? { ...order, parentId: firstOrderId } : order];
  });
}

const ticketOf = (described, order) => ({
  symbol: described.symbol,
  action: order.action,
  quantity: Number(order.totalQuantity),
  order_type: order.orderType,
  limit_price: order.orderType === "LMT" ? order.lmtPrice : null,
  stop_price: order.orderType === "STP" ? order.auxPrice : null,
  reference: order.orderRef ?? "",
});

const execution = (described, done, report) => ({
  exec_id: done.execId,
  order_id: done.orderId,
  perm_id: done.permId,
  client_id: done.clientId,
  account: done.acctNumber,
  symbol: described.symbol,
  side: done.side,
  shares: Number(done.shares),
  price: done.price,
  cumulative: Number(done.cumQty),
  average_price: done.avgPrice,
  reference: done.orderRef ?? "",
  executed_at_s: secondsOf(done.time),
  commission: 0,
  commission_currency: "",
  realized_pnl: 0,
  ...(report ? cost(report) : {}),
});

const cost = (report) => ({
  commission: report.commission,
  commission_currency: report.currency,
  // The library gives nothing, or the unset value, where nothing was closed.
  realized_pnl: (report.realizedPNL ?? 0) > 1e300 ? 0 : (report.realizedPNL ?? 0),
});

/** Read "20261120 10:00:00 America/New_York" as seconds since 1970, to the hour's offset of that zone. */
function secondsOf(text) {
  const [, year, month, day, hour, minute, second, zone] = text.match(/^(\d{4})(\d\d)(\d\d) +(\d\d):(\d\d):(\d\d) (\S+)$/);
  const asUtcMs = Date.UTC(year, month - 1, day, hour, minute, second);
  const shown = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" }).formatToParts(asUtcMs);
  const [, sign, hours, minutes] = shown.find((part) => part.type === "timeZoneName").value.match(/GMT(?:([+-])(\d\d):(\d\d))?/);
  const offsetMs = sign ? Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) * 60_000 : 0;
  return (asUtcMs - offsetMs) / 1000;
}

const position = (account, described, quantity, averageCost) => ({
  account,
  con_id: described.conId,
  symbol: described.symbol,
  quantity: Number(quantity),
  average_cost: averageCost,
});

const pnl = ([daily, unrealized, realized]) => {
  const known = (figure) => (figure === undefined || Math.abs(figure) > 1e300 ? null : figure);
  return { daily: known(daily), unrealized: known(unrealized), realized: known(realized) };
};

module.exports = {
  TICKS,
  stock,
  contract,
  bar,
  intradayBar,
  quote,
  orderOf,
  bracketOf,
  ticketOf,
  execution,
  cost,
  position,
  pnl,
};
