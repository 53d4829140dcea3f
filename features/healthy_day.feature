Feature: A healthy day
  With nothing in its way, the desk's workflow trades once, keeps everything that it made, and sends no alarm.

  Scenario: Nothing goes wrong
    Given the trading stack in its steady state
    When the trading workflow runs for AAPL
    Then every artifact of the run is stored exactly once
    And exactly one order reached the broker
    And the run reports itself as a success, and no notification was sent
    And the run ended within 60 s
