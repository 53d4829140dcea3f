Feature: The connection to the broker is lost
  An order whose answer never came may have been filled: the desk must find out, and must not send it again.

  Scenario: Lost while an order is at the broker
    Given the trading stack in its steady state
    And the broker fills orders after 2 s
    And "workflow -> ibkr-gateway" is refused for 10 s once the broker has received the first order
    When the trading workflow runs for AAPL
    Then the fault hit and was healed
    And exactly one order reached the broker
    And every artifact of the run is stored exactly once
    And the run reports itself as degraded, and one notification was sent
    And the system is back to normal within 60 s
