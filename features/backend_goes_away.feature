Feature: The backend goes away
  The desk must never lose a chart, nor trade twice, because an internal API is down.

  Scenario: Refused while charts are drawn
    Given the trading stack in its steady state
    And "workflow -> backend" is refused for 15 s once task "generate_daily_chart" is running
    When the trading workflow runs for AAPL
    Then the fault hit and was healed
    And every artifact of the run is stored exactly once
    And at most one order reached the broker
    And the run reports itself as degraded, and one notification was sent
    And the system is back to normal within 60 s
